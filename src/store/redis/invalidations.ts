import type { Clock, Timer } from "../../core/clock.ts";
import { KEY_KINDS, storedCacheKey } from "../../core/key.ts";
import type { Invalidations, InvalidationState } from "../../core/ports.ts";
import type { RedisChanges } from "./changes.ts";
import type { RedisClient, RedisMessage } from "./client.ts";
import { isRefusal } from "./errors.ts";

/** The part of {@link RedisChanges} that publishes invalidations when Redis does not track. */
export type InvalidationPublisher = Pick<
  RedisChanges,
  "channel" | "keyOf" | "enablePublishing" | "disablePublishing"
>;

/** The parts of {@link RedisInvalidations}. */
export interface RedisInvalidationsOptions {
  /** The connection that reads and writes the entries. */
  readonly data: RedisClient;
  /** A connection that carries only invalidations. */
  readonly listener: RedisClient;
  /** Wraps `data`; publishes changes unless Redis notifies other replicas itself. */
  readonly changes: InvalidationPublisher;
  readonly keyPrefix: string;
  readonly target: Invalidations;
  readonly clock: Clock;
  /** Called at each change of state. */
  readonly onState: (state: InvalidationState) => void;
}

/** Redis's fixed channel for tracked keys. */
const TRACKING_CHANNEL = "__redis__:invalidate";

/** The interval of pings over both connections. */
const PING_INTERVAL_MS = 250;

/** The pause before the next attempt after a failed set-up. */
const RETRY_MS = 1000;

/**
 * Invalidates local memory when keys in Redis change, by server-assisted client-side caching; where Redis refuses that,
 * by messages that the replicas publish.
 *
 *     data      CLIENT TRACKING ON REDIRECT <id> BCAST PREFIX … NOLOOP            ping     ping
 *     listener  CLIENT ID, SUBSCRIBE                                              ping     ping
 *     target                                                                      resume   confirm   …   suspend
 *
 * Tracking ends when either connection does, and both are set up again: Redis does not notify a RESP2 client of that end. A
 * dead connection answers no ping. Redis answers a ping after all messages that it sent before, so the answer confirms
 * them; and a listener that answers after tracking is on was alive when it was turned on.
 */
export class RedisInvalidations implements Disposable {
  readonly #options: RedisInvalidationsOptions;
  readonly #prefixBytes: number;
  /** The listener's client id in Redis, once it has subscribed; undefined if Redis refuses to tell it. */
  #redirect: Promise<string | undefined> | undefined;
  /** Counts losses and set-ups; work of an earlier attempt has no effect. */
  #attempt = 0;
  #state: InvalidationState | undefined;
  #timer: Timer | undefined;
  #disposed = false;
  readonly #first = Promise.withResolvers<void>();

  constructor(options: RedisInvalidationsOptions) {
    this.#options = options;
    this.#prefixBytes = new TextEncoder().encode(options.keyPrefix).length;
    const { data, listener } = options;
    listener.onMessage((channel, message) => this.#receive(channel, message));
    data.watch({ onReady: () => this.#setUp(), onLost: () => this.#lost() });
    listener.watch({
      onReady: () => this.#setUp(),
      onLost: () => {
        this.#redirect = undefined;
        this.#lost();
      },
    });
    this.#setUp();
  }

  /** Resolves when notifications begin for the first time, or are refused. */
  get settled(): Promise<void> {
    return this.#first.promise;
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#attempt++;
    this.#timer?.cancel();
  }

  async #setUp(): Promise<void> {
    const { data, listener, clock, target, changes } = this.#options;
    if (this.#disposed || !data.isReady || !listener.isReady) return;
    this.#timer?.cancel();
    const attempt = ++this.#attempt;
    try {
      const state = await this.#listen();
      const sentAtMs = clock.now();
      await Promise.all([data.ping(), listener.ping()]);
      if (attempt !== this.#attempt) return;
      if (state === "tracking") changes.disablePublishing();
      if (state !== "refused") target.resume(sentAtMs);
      this.#setState(state);
      this.#first.resolve();
      if (state !== "refused") this.#confirmLater(attempt);
    } catch {
      if (attempt === this.#attempt) this.#startOver();
    }
  }

  /** Turns on the best mode that Redis allows. Rejects when a connection fails. */
  async #listen(): Promise<Exclude<InvalidationState, "lost">> {
    const { data, changes, keyPrefix } = this.#options;
    this.#requireSameServer();
    const redirect = await (this.#redirect ??= this.#subscribe());
    if (redirect !== undefined) {
      // Only entries: memory holds no copies of other keys, such as leases.
      const prefixes = KEY_KINDS.flatMap((kind) => ["PREFIX", keyPrefix + kind]);
      // Off first: Redis refuses a prefix that is already tracked.
      const [, on] = await Promise.all([
        unlessRefused(data.call("CLIENT", "TRACKING", "OFF")),
        unlessRefused(
          data.call("CLIENT", "TRACKING", "ON", "REDIRECT", redirect, "BCAST", ...prefixes, "NOLOOP"),
        ),
      ]);
      if (on !== undefined) return "tracking";
    }
    const receivers = await unlessRefused(data.call("PUBLISH", changes.channel, ""));
    return typeof receivers === "number" && receivers > 0 ? "publishing" : "refused";
  }

  /**
   * Throws if a failover has led the connections to two servers: the listener's id may belong to another client on the
   * other server.
   */
  #requireSameServer(): void {
    const { data, listener } = this.#options;
    if (data.scriptEpoch === listener.scriptEpoch) return;
    // It may be one server whose epoch was renamed since the older connection began.
    data.recheckEpoch();
    throw new Error("Cannot track changes: the connections lead to two servers");
  }

  /** Subscribes the listener to all allowed channels. Asks for its id first: a subscriber cannot. */
  async #subscribe(): Promise<string | undefined> {
    const { listener, changes } = this.#options;
    const id = await unlessRefused(listener.call("CLIENT", "ID"));
    const subscribed = await unlessRefused(listener.subscribe(TRACKING_CHANNEL).then(() => true));
    await unlessRefused(listener.subscribe(changes.channel));
    return id === undefined || subscribed === undefined ? undefined : String(id);
  }

  #confirmLater(attempt: number): void {
    const { clock } = this.#options;
    this.#timer = clock.setTimer(() => this.#confirm(attempt), PING_INTERVAL_MS, "background");
  }

  async #confirm(attempt: number): Promise<void> {
    const { data, listener, clock, target } = this.#options;
    const sentAtMs = clock.now();
    try {
      await Promise.all([data.ping(), listener.ping()]);
      if (attempt !== this.#attempt) return;
      target.confirm(sentAtMs);
      this.#confirmLater(attempt);
    } catch {
      if (attempt === this.#attempt) this.#startOver();
    }
  }

  #lost(): void {
    if (this.#disposed) return;
    this.#attempt++;
    this.#timer?.cancel();
    this.#options.changes.enablePublishing();
    if (this.#state === undefined || this.#state === "lost") return;
    this.#options.target.suspend();
    this.#setState("lost");
  }

  /** Starts over with a new listener, after a failure over open connections. */
  #startOver(): void {
    this.#lost();
    const again = () => this.#options.listener.reconnect();
    this.#timer = this.#options.clock.setTimer(again, RETRY_MS, "background");
  }

  #setState(state: InvalidationState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.onState(state);
  }

  #receive(channel: string, message: RedisMessage): void {
    const { target, changes } = this.#options;
    if (channel === TRACKING_CHANNEL) {
      if (!Array.isArray(message)) return target.invalidateAll();
      for (const key of message) {
        // Takes a third of the time of a TextDecoder.
        target.invalidate(storedCacheKey(key.toString("utf8", this.#prefixBytes)));
      }
    } else if (channel === changes.channel && message instanceof Uint8Array) {
      const key = changes.keyOf(message.toString());
      if (key !== undefined) target.invalidate(storedCacheKey(key));
    }
  }
}

/** Redis's answer, or undefined if it refuses. Rejects without an answer. */
async function unlessRefused<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}
