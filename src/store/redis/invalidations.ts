import type { Clock, Timer } from "../../core/clock.ts";
import { KEY_KINDS, storedCacheKey } from "../../core/key.ts";
import type { Invalidations, InvalidationState } from "../../core/ports.ts";
import type { RedisChanges } from "./changes.ts";
import { isRefusal, type RedisClient, type RedisMessage } from "./client.ts";

/** The part of {@link RedisChanges} that invalidations need. */
export type ChangeTeller = Pick<RedisChanges, "channel" | "keyOf" | "leaveItToRedis" | "tellOthers">;

/** What invalidations are made of. */
export interface RedisInvalidationsOptions {
  /** The connection that reads and writes the entries. */
  readonly data: RedisClient;
  /** A connection for nothing but this. */
  readonly listener: RedisClient;
  /** Stands before `data`; told whether Redis tells the others or it has to. */
  readonly changes: ChangeTeller;
  readonly keyPrefix: string;
  readonly target: Invalidations;
  readonly clock: Clock;
  /** Called at each change of state. */
  readonly onState: (state: InvalidationState) => void;
}

/** Where Redis says which keys have changed; a fixed name. */
const TRACKING_CHANNEL = "__redis__:invalidate";

/** How often the lines are asked whether they still stand. */
const PING_INTERVAL_MS = 250;

/** How long after a set-up that failed over standing connections it is tried again. */
const RETRY_MS = 1000;

/**
 * Keeps local memory told of what changes in Redis: by server-assisted client-side caching, or where that is
 * refused by what the replicas publish.
 *
 *     data      CLIENT TRACKING ON REDIRECT <id> BCAST PREFIX … NOLOOP            ping     ping
 *     listener  CLIENT ID, SUBSCRIBE                                              ping     ping
 *     target                                                                      resume   confirm   …   suspend
 *
 * Either connection's end is the end of tracking, and both are set up anew: Redis does not say so to a client of
 * RESP2. A line that is dead without having been closed answers no ping. The pings' answers come behind all
 * messages that Redis had sent before it got them, so they confirm; and a listener that answers after tracking is
 * on was alive when it was turned on.
 */
export class RedisInvalidations implements Disposable {
  readonly #options: RedisInvalidationsOptions;
  readonly #prefixBytes: number;
  /** The listener's number at Redis, once it has subscribed; undefined where Redis does not tell. */
  #redirect: Promise<string | undefined> | undefined;
  /** Counts the times that a line was lost or set up, so that what began before does nothing after. */
  #attempt = 0;
  #state: InvalidationState | undefined;
  #timer: Timer | undefined;
  #disposed = false;
  readonly #first = Promise.withResolvers<void>();

  constructor(options: RedisInvalidationsOptions) {
    this.#options = options;
    this.#prefixBytes = new TextEncoder().encode(options.keyPrefix).length;
    const { data, listener } = options;
    listener.onMessage((channel, message) => this.#hear(channel, message));
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

  /** Resolves when this process is told of changes for the first time, or was refused. */
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
      if (state === "tracking") changes.leaveItToRedis();
      if (state !== "refused") target.resume(sentAtMs);
      this.#setState(state);
      this.#first.resolve();
      if (state !== "refused") this.#confirmLater(attempt);
    } catch {
      if (attempt === this.#attempt) this.#startOver();
    }
  }

  /** Turns on what Redis allows. Rejects when a connection fails. */
  async #listen(): Promise<Exclude<InvalidationState, "lost">> {
    const { data, changes, keyPrefix } = this.#options;
    this.#requireSameServer();
    const redirect = await (this.#redirect ??= this.#subscribe());
    if (redirect !== undefined) {
      // Of entries alone: nobody has copies of what else lies in Redis, such as leases.
      const prefixes = KEY_KINDS.flatMap((kind) => ["PREFIX", keyPrefix + kind]);
      // Off first: a prefix that is tracked already is refused.
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
   * Throws where a failover has led the connections to two servers: the number of the listener at the one may be
   * somebody else's at the other, which would be told in its place.
   */
  #requireSameServer(): void {
    const { data, listener } = this.#options;
    if (data.scriptEpoch === listener.scriptEpoch) return;
    // Perhaps one server, which has got a new name since the older connection began.
    data.recheckEpoch();
    throw new Error("Cannot track changes: the connections lead to two servers");
  }

  /** Subscribes the listener to what it may hear. The number comes first: a subscriber cannot ask for it. */
  async #subscribe(): Promise<string | undefined> {
    const { listener, changes } = this.#options;
    const id = await unlessRefused(listener.call("CLIENT", "ID"));
    const heard = await unlessRefused(listener.subscribe(TRACKING_CHANNEL).then(() => true));
    await unlessRefused(listener.subscribe(changes.channel));
    return id === undefined || heard === undefined ? undefined : String(id);
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
    this.#options.changes.tellOthers();
    if (this.#state === undefined || this.#state === "lost") return;
    this.#options.target.suspend();
    this.#setState("lost");
  }

  /** Something failed although both connections stand: a listener without a past is the way to try again. */
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

  #hear(channel: string, message: RedisMessage): void {
    const { target, changes } = this.#options;
    if (channel === TRACKING_CHANNEL) {
      if (!Array.isArray(message)) return target.invalidateAll();
      for (const key of message) {
        // A third of what a TextDecoder takes.
        target.invalidate(storedCacheKey(key.toString("utf8", this.#prefixBytes)));
      }
    } else if (channel === changes.channel && message instanceof Uint8Array) {
      const key = changes.keyOf(message.toString());
      if (key !== undefined) target.invalidate(storedCacheKey(key));
    }
  }
}

/** What Redis answers, undefined when it refuses; rejects when there is no answer. */
async function unlessRefused<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}
