import type { Clock } from "../../../core/clock.ts";
import type { Invalidations, InvalidationState } from "../../../core/ports.ts";
import { type InvalidationSource, JoinedInvalidations } from "./joined_invalidations.ts";
import type { RedisChanges } from "../changes.ts";
import type { RedisClient } from "../client.ts";
import type { RedisClusterNodes } from "./nodes.ts";
import { RedisInvalidations } from "../invalidations.ts";
import type { Endpoint } from "../../../core/endpoint.ts";

/** What the invalidations of a cluster are made of. */
export interface RedisClusterInvalidationsOptions {
  readonly nodes: RedisClusterNodes;
  /** Opens a connection for nothing but this. */
  readonly connect: (address: Endpoint) => RedisClient;
  readonly changes: RedisChanges;
  readonly keyPrefix: string;
  readonly target: Invalidations;
  readonly clock: Clock;
  /** Called at each change of the state of all masters together. */
  readonly onState: (state: InvalidationState) => void;
}

/** From the worst to the best: what all masters have in common is the worst that one of them has. */
const STATES = ["lost", "refused", "publishing", "tracking"] as const satisfies readonly InvalidationState[];

/** After so long without agreement about the masters there may have been another one in between. */
const MAX_DISAGREEMENT_MS = 1000;

/** What there is of one master. */
interface TrackedMaster {
  readonly source: InvalidationSource;
  readonly listener: RedisClient;
  readonly invalidations: RedisInvalidations;
  state: InvalidationState;
  /** Whether Redis tells the others of what is changed there. */
  isTold: boolean;
}

/**
 * Keeps local memory told of what changes in a cluster: every master tells of its own keys, and memory is used only
 * while all of them do and none knows of a further master.
 *
 *     A          tracking    confirm   confirm   …
 *     B          tracking    confirm   confirm   lost
 *     masters    agreed      confirm   confirm   changed: A, C
 *     memory     resume      confirm   confirm   suspend       … until C is tracked and all agree once more
 *
 * A slot that moves from one tracked master to another needs no pause: the key is told of by both, while it is
 * removed here and while it is written there, and masters without slots are tracked before they get any.
 */
export class RedisClusterInvalidations implements AsyncDisposable {
  readonly #options: RedisClusterInvalidationsOptions;
  readonly #joined: JoinedInvalidations;
  readonly #masters = new Map<string, TrackedMaster>();
  /** Hears of no key; confirms that there are no masters but those that are tracked. */
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
      onGone: (name) => this.#forget(name),
      onAgreed: (atMs) => this.#agreed(atMs),
    });
  }

  /** Resolves when this process is told of changes for the first time, or was refused. */
  get settled(): Promise<void> {
    return this.#first.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of [...this.#masters.keys()]) this.#forget(name);
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
        leaveItToRedis: () => this.#setTold(name, true),
        tellOthers: () => this.#setTold(name, false),
      },
      keyPrefix,
      target: source,
      clock,
      onState: (state) => this.#setState(name, state),
    });
    this.#masters.set(name, { source, listener, invalidations, state: "lost", isTold: false });
    changes.tellOthers();
  }

  #forget(name: string): void {
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

  /** The masters are others than before. */
  #disagreed(): void {
    this.#agreedAtMs = undefined;
    this.#agreement.suspend();
    this.#stateMayDiffer();
  }

  #agreed(atMs: number): void {
    const sinceMs = this.#agreedAtMs === undefined ? Infinity : Math.abs(atMs - this.#agreedAtMs);
    this.#agreedAtMs = atMs;
    if (sinceMs > MAX_DISAGREEMENT_MS) this.#agreement.resume(atMs);
    else this.#agreement.confirm(atMs);
    this.#stateMayDiffer();
  }

  /** Redis tells the others of everything only where each master does. */
  #setTold(name: string, isTold: boolean): void {
    const { changes } = this.#options;
    const master = this.#masters.get(name);
    if (master !== undefined) master.isTold = isTold;
    if (!isTold) changes.tellOthers();
    else if ([...this.#masters.values()].every((each) => each.isTold)) changes.leaveItToRedis();
  }

  #setState(name: string, state: InvalidationState): void {
    const master = this.#masters.get(name);
    if (master === undefined) return;
    master.state = state;
    this.#stateMayDiffer();
  }

  #stateMayDiffer(): void {
    const states = [...this.#masters.values()].map(({ state }) => state);
    const worst = STATES.find((each) => states.includes(each)) ?? "lost";
    const state = this.#agreedAtMs === undefined ? "lost" : worst;
    if (state === this.#state) return;
    // Masters are found and connected one by one: nothing was lost before there was anything.
    if (state === "lost" && this.#state === undefined) return;
    this.#state = state;
    if (state !== "lost") this.#first.resolve();
    this.#options.onState(state);
  }
}
