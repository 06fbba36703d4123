import type { Clock } from "../../../core/clock.ts";
import type { Invalidations, InvalidationState } from "../../../core/ports.ts";
import { type InvalidationSource, JoinedInvalidations } from "./joined_invalidations.ts";
import type { RedisChanges } from "../changes.ts";
import type { RedisClient } from "../client.ts";
import type { RedisClusterNodes } from "./nodes.ts";
import { RedisInvalidations } from "../invalidations.ts";
import type { Endpoint } from "../../../core/endpoint.ts";

/** The parts of {@link RedisClusterInvalidations}. */
export interface RedisClusterInvalidationsOptions {
  readonly nodes: RedisClusterNodes;
  /** Opens a connection that carries only invalidations. */
  readonly connect: (address: Endpoint) => RedisClient;
  readonly changes: RedisChanges;
  readonly keyPrefix: string;
  readonly target: Invalidations;
  readonly clock: Clock;
  /** Called when the combined state of all masters changes. */
  readonly onState: (state: InvalidationState) => void;
}

/** From worst to best: the combined state is the worst state of any master. */
const STATES = ["lost", "refused", "publishing", "tracking"] as const satisfies readonly InvalidationState[];

/** After this long without agreement about the masters, an unknown one may have come and gone. */
const MAX_DISAGREEMENT_MS = 1000;

/** One master and its connection for invalidations. */
interface TrackedMaster {
  readonly source: InvalidationSource;
  readonly listener: RedisClient;
  readonly invalidations: RedisInvalidations;
  state: InvalidationState;
  /** Whether Redis itself notifies other replicas of changes on this master. */
  isTracked: boolean;
}

/**
 * Invalidates local memory when keys of a cluster change. Each master notifies of its own keys. Memory is used only while
 * every master does so and none knows of another master.
 *
 *     A          tracking    confirm   confirm   …
 *     B          tracking    confirm   confirm   lost
 *     masters    agreed      confirm   confirm   changed: A, C
 *     memory     resume      confirm   confirm   suspend       … until C is tracked and all agree once more
 *
 * A slot that moves between tracked masters needs no pause: both notify of its keys, one when it removes them and one when
 * it writes them. Masters without slots are tracked before they get any.
 */
export class RedisClusterInvalidations implements AsyncDisposable {
  readonly #options: RedisClusterInvalidationsOptions;
  readonly #joined: JoinedInvalidations;
  readonly #masters = new Map<string, TrackedMaster>();
  /** A source without keys. It confirms that every master is tracked. */
  readonly #agreement: InvalidationSource;
  readonly #closing = new Set<Promise<void>>();
  #agreedAtMs: number | undefined;
  #state: InvalidationState | undefined;
  readonly #first = Promise.withResolvers<void>();

  constructor(options: RedisClusterInvalidationsOptions) {
    this.#options = options;
    this.#joined = new JoinedInvalidations(options.target);
    this.#agreement = this.#joined.join();
    options.nodes.watch({
      onMaster: (name, client, address) => this.#track(name, client, address),
      onGone: (name) => this.#untrack(name),
      onAgreed: (atMs) => this.#agreed(atMs),
    });
  }

  /** Resolves when notifications begin for the first time, or are refused. */
  get settled(): Promise<void> {
    return this.#first.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of [...this.#masters.keys()]) this.#untrack(name);
    await Promise.all(this.#closing);
  }

  #track(name: string, data: RedisClient, address: Endpoint): void {
    const { connect, changes, keyPrefix, clock } = this.#options;
    this.#disagreed();
    const source = this.#joined.join();
    const listener = connect(address);
    const invalidations = new RedisInvalidations({
      data,
      listener,
      changes: {
        channel: changes.channel,
        keyOf: (message) => changes.keyOf(message),
        disablePublishing: () => this.#setTracked(name, true),
        enablePublishing: () => this.#setTracked(name, false),
      },
      keyPrefix,
      target: source,
      clock,
      onState: (state) => this.#setState(name, state),
    });
    this.#masters.set(name, { source, listener, invalidations, state: "lost", isTracked: false });
    changes.enablePublishing();
  }

  #untrack(name: string): void {
    const master = this.#masters.get(name);
    if (master === undefined) return;
    this.#disagreed();
    this.#masters.delete(name);
    master.invalidations[Symbol.dispose]();
    master.source.leave();
    const closed: Promise<void> = master.listener[Symbol.asyncDispose]()
      .finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }

  /** The set of masters has changed. */
  #disagreed(): void {
    this.#agreedAtMs = undefined;
    this.#agreement.suspend();
    this.#updateState();
  }

  #agreed(atMs: number): void {
    const sinceMs = this.#agreedAtMs === undefined ? Infinity : Math.abs(atMs - this.#agreedAtMs);
    this.#agreedAtMs = atMs;
    if (sinceMs > MAX_DISAGREEMENT_MS) this.#agreement.resume(atMs);
    else this.#agreement.confirm(atMs);
    this.#updateState();
  }

  /** This process stops publishing its changes only when every master tracks. */
  #setTracked(name: string, isTracked: boolean): void {
    const { changes } = this.#options;
    const master = this.#masters.get(name);
    if (master !== undefined) master.isTracked = isTracked;
    if (!isTracked) changes.enablePublishing();
    else if ([...this.#masters.values()].every((each) => each.isTracked)) changes.disablePublishing();
  }

  #setState(name: string, state: InvalidationState): void {
    const master = this.#masters.get(name);
    if (master === undefined) return;
    master.state = state;
    this.#updateState();
  }

  #updateState(): void {
    const states = [...this.#masters.values()].map(({ state }) => state);
    const worst = STATES.find((each) => states.includes(each)) ?? "lost";
    const state = this.#agreedAtMs === undefined ? "lost" : worst;
    if (state === this.#state) return;
    // At the start, masters connect one by one: "lost" is no news before the first other state.
    if (state === "lost" && this.#state === undefined) return;
    this.#state = state;
    if (state !== "lost") this.#first.resolve();
    this.#options.onState(state);
  }
}
