import { Command, Redis, type SentinelConnectionOptions, SentinelConnector } from "ioredis";
import type { Buffer } from "node:buffer";
import type { Writable } from "node:stream";
import type { Clock, Timer } from "../../core/clock.ts";
import { ANY_EPOCH, type Epoch } from "../../core/ports.ts";
import {
  type DirectSet,
  EPOCH,
  type RedisArgument,
  type RedisCommands,
  type RedisScript,
} from "./commands.ts";
import { RedisChangeLost, RedisDeadline, refusedLateAtMs } from "./deadline.ts";
import { RedisEpoch } from "./epoch.ts";
import { isRefusal, SentinelError } from "./errors.ts";
import { connectOptions, type RedisClientOptions } from "./options.ts";
import { RedisTime, TIME_INTERVAL_MS } from "./time.ts";
import { encodeCommand, type WireArgument } from "./wire.ts";

/** Called when a connection becomes usable, and when it is lost. */
export interface ConnectionWatcher {
  onReady(): void;
  onLost(): void;
}

/** A message in RESP2: bytes from a client; a list or null from Redis itself. */
export type RedisMessage = Buffer | readonly Buffer[] | null;

/** A connection is reopened if a reply is due and nothing arrives for this long. */
const SILENCE_TIMEOUT_MS = 2000;

/** The first and the longest pause between attempts to connect; each is twice the one before. */
const MIN_RECONNECT_DELAY_MS = 50;
const MAX_RECONNECT_DELAY_MS = 1000;

/** The longest that an unresponsive server delays the closing of its connection. */
const DISCONNECT_TIMEOUT_MS = 100;

/**
 * One connection to Redis, reopened for ever. The commands of one turn of the event loop are sent in one write.
 *
 * No command waits for a connection and none is sent twice: a command that cannot be sent now fails now. A slow network
 * may deliver a command long after its connection was lost, so changes have a {@link RedisDeadline}.
 *
 * Commands have no time-out of their own and reject with plain errors, the driver's or {@link RedisChangeLost}. The tier
 * (cache/tier.ts) bounds them in time and turns each failure into `store_unavailable`.
 */
export class RedisClient implements RedisCommands, AsyncDisposable {
  readonly spansSlots = true;
  readonly #redis: Redis;
  readonly #onError: (error: Error) => void;
  readonly #watchers: ConnectionWatcher[] = [];
  readonly #clock: Clock;
  readonly #time: RedisTime;
  #timeCheck: Timer | undefined;
  readonly #epoch: RedisEpoch;
  /** Resolved while commands can be sent. */
  #usable = Promise.withResolvers<void>();
  #isUsable = false;
  #disposed = false;
  /** The stream that buffers writes until the end of this turn. */
  #corked: Redis["stream"] | undefined;
  /** Changes when a connection opens and when it is lost. */
  #connection = 0;

  /**
   * Starts to connect. `onError` gets the error of each failed attempt, each lost connection and each refused command
   * that sets a connection up; a {@link SentinelError} for a connection to a sentinel.
   */
  constructor(options: RedisClientOptions, clock: Clock, onError: (error: Error) => void) {
    this.#onError = onError;
    this.#clock = clock;
    this.#time = new RedisTime(clock);
    this.#epoch = new RedisEpoch(clock, onError);
    this.#redis = new Redis({
      ...connectOptions(options),
      ...("sentinels" in options && { Connector: sentinelConnector(onError) }),
      disconnectTimeout: DISCONNECT_TIMEOUT_MS,
      socketTimeout: SILENCE_TIMEOUT_MS,
      protocol: 2,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      autoResubscribe: false,
      maxRetriesPerRequest: 0,
      // The master was demoted while connected: a new connection finds the new master.
      reconnectOnError: (error) => error.message.startsWith("READONLY"),
      retryStrategy: (attempt) =>
        Math.min(MIN_RECONNECT_DELAY_MS * 2 ** Math.min(attempt, 10), MAX_RECONNECT_DELAY_MS),
    });
    this.#redis.on("error", onError);
    this.#redis.on("ready", () => this.#begin());
    this.#redis.on("close", () => this.#lose());
    this.#redis.on("end", () => this.#startOver());
  }

  /** Resolves once commands can be sent; never rejects. */
  ready(): Promise<void> {
    this.#noticeLoss();
    return this.#usable.promise;
  }

  get isReady(): boolean {
    this.#noticeLoss();
    return this.#isUsable;
  }

  /** The epoch that scripts get as {@link EPOCH}; equal on all connections to the server, see {@link RedisEpoch}. */
  get scriptEpoch(): string {
    return this.#epoch.value;
  }

  get epoch(): Epoch | undefined {
    if (!this.isReady) return undefined;
    return this.#epoch.isKnown ? this.#epoch.value : ANY_EPOCH;
  }

  /** Calls `watcher` each time the connection becomes usable or is lost, from the next time on. */
  watch(watcher: ConnectionWatcher): void {
    this.#watchers.push(watcher);
  }

  /** Closes the connection and opens another. */
  reconnect(): void {
    this.#redis.disconnect(true);
  }

  /** Sends a command that has no method here. */
  call(command: string, ...args: string[]): Promise<unknown> {
    return this.#redis.call(command, ...args);
  }

  /** Subscribes this connection, which then accepts only subscriptions and pings until it is lost. */
  async subscribe(channel: string): Promise<void> {
    this.#timeCheck?.cancel();
    await this.#redis.subscribe(channel);
  }

  /** Calls `listener` for each message of all subscriptions. */
  onMessage(listener: (channel: string, message: RedisMessage) => void): void {
    this.#redis.on(
      "messageBuffer",
      (channel: Buffer, message: RedisMessage) => listener(channel.toString(), message),
    );
  }

  async ping(): Promise<void> {
    this.#requireConnection();
    await this.#send("ping", []);
  }

  async run(script: RedisScript, keys: readonly string[], ...args: RedisArgument[]): Promise<unknown> {
    this.#requireConnection();
    const sent = this.#asSent(keys, args);
    return await this.#sendByDeadline(args, async () => {
      try {
        return await this.#send("evalsha", [script.sha1, keys.length, ...sent]);
      } catch (error) {
        // Redis does not have the script. It ran nothing, so nothing runs twice.
        if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
        return await this.#send("eval", [script.lua, keys.length, ...sent]);
      }
    });
  }

  /**
   * A transaction, because Redis's Lua hashes each byte of its arguments. A late value has expired before it is renamed.
   * Redis also notifies the writer of changes made by scripts, but not of these.
   */
  async setBy(incomingKey: string, { key, value, ttlMs, deadline, published }: DirectSet): Promise<void> {
    this.#requireConnection();
    const deadlineMs = this.#argument(deadline);
    const replies = await this.#sendByDeadline([deadline], () => {
      const queue = (name: string, ...args: WireArgument[]) => {
        // If Redis refuses one command, EXEC fails.
        this.#send(name, args).catch(() => {});
      };
      queue("multi");
      queue("set", incomingKey, value, "PXAT", deadlineMs);
      if (ttlMs === Infinity) queue("persist", incomingKey);
      else queue("pexpire", incomingKey, ttlMs);
      queue("rename", incomingKey, key);
      if (published !== undefined) queue("publish", ...published);
      return this.#send("exec", []);
    });
    const failure = Array.isArray(replies) ? replies.find((reply) => reply instanceof Error) : undefined;
    if (failure !== undefined) throw failure;
  }

  /**
   * As {@link run}, for keys whose slot the cluster's server is importing. ASKING counts for one command only, hence EVAL:
   * an EVALSHA of an unknown script would use it up. Both are sent in one write.
   */
  async runAsking(script: RedisScript, keys: readonly string[], ...args: RedisArgument[]): Promise<unknown> {
    this.#requireConnection();
    const sent = this.#asSent(keys, args);
    // If the connection is lost, the script fails too.
    this.#send("asking", []).catch(() => {});
    return await this.#sendByDeadline(args, () => this.#send("eval", [script.lua, keys.length, ...sent]));
  }

  async change(script: RedisScript, keys: readonly string[], ...args: RedisArgument[]): Promise<void> {
    await this.run(script, keys, ...args);
  }

  recheckEpoch(): void {
    this.#epoch.recheck(this.#info);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    const { status } = this.#redis;
    if (status === "end") return;
    const ended = new Promise<void>((resolve) => this.#redis.once("end", () => resolve()));
    this.#redis.disconnect();
    // Between two attempts nothing is open, and ioredis emits no "end".
    if (status !== "reconnecting") await ended;
  }

  /** Sets a new connection up, before any other command. */
  async #begin(): Promise<void> {
    const connection = ++this.#connection;
    try {
      await Promise.all([
        this.#epoch.learn(this.#info),
        this.#time.learn(this.#askTime).catch((error) => {
          if (!isRefusal(error)) throw error;
          this.#onError(error);
        }),
      ]);
    } catch {
      // Lost again: the next connection starts over.
      return;
    }
    if (connection !== this.#connection) return;
    this.#isUsable = true;
    this.#checkTimeLater();
    for (const watcher of this.#watchers) watcher.onReady();
    this.#usable.resolve();
  }

  /**
   * Connects again when ioredis has given up: if a sentinel announces a failover while the connection is being opened,
   * ioredis mistakes its own disconnect for ours.
   */
  #startOver(): void {
    const connect = () => {
      // Failures are emitted as errors.
      if (!this.#disposed) this.#redis.connect().catch(() => {});
    };
    if (!this.#disposed) this.#clock.setTimer(connect, MIN_RECONNECT_DELAY_MS, "background");
  }

  /** Detects a loss early: ioredis first rejects the commands of a lost connection, and emits "close" a little later. */
  #noticeLoss(): void {
    if (this.#isUsable && this.#redis.status !== "ready") this.#lose();
  }

  #lose(): void {
    this.#connection++;
    this.#timeCheck?.cancel();
    if (!this.#isUsable) return;
    this.#isUsable = false;
    this.#usable = Promise.withResolvers();
    for (const watcher of this.#watchers) watcher.onLost();
  }

  readonly #info = (section: string): Promise<unknown> => this.#ask("info", [section]);

  readonly #askTime = (): Promise<unknown> => this.#ask("time", []);

  /** Repeats until the connection is lost or subscribes: then it accepts no TIME. */
  #checkTimeLater(): void {
    const check = () => {
      // On an error the earlier sample stays.
      this.#time.check(this.#askTime).catch(() => {});
      this.#checkTimeLater();
    };
    this.#timeCheck = this.#clock.setTimer(check, TIME_INTERVAL_MS, "background");
  }

  #asSent(keys: readonly string[], args: readonly RedisArgument[]): WireArgument[] {
    return [...keys, ...args.map((arg) => this.#argument(arg))];
  }

  #argument(arg: RedisArgument): WireArgument {
    if (arg === EPOCH) return this.#epoch.value;
    if (!(arg instanceof RedisDeadline)) return arg;
    const atMs = this.#time.at(arg.atMs);
    if (atMs === undefined) {
      throw new Error("Cannot send to Redis: a change needs TIME, which Redis refuses");
    }
    return atMs;
  }

  /** Sends a change; if its connection is lost, rejects with {@link RedisChangeLost} when it has a deadline. */
  async #sendByDeadline(args: readonly RedisArgument[], send: () => Promise<unknown>): Promise<unknown> {
    const deadline = args.at(-1);
    if (!(deadline instanceof RedisDeadline)) return await send();
    const sentAtMs = this.#clock.monotonic();
    try {
      return await send();
    } catch (error) {
      const redisMs = refusedLateAtMs(error);
      if (redisMs !== undefined) this.#time.addSample(redisMs, sentAtMs);
      throw isRefusal(error) ? error : new RedisChangeLost(deadline, error);
    }
  }

  #requireConnection(): void {
    if (!this.isReady) throw new Error("Cannot send to Redis: not connected");
  }

  /** Sends a command at once; texts in its reply are strings. */
  #ask(name: string, args: readonly string[]): Promise<unknown> {
    return this.#redis.sendCommand(new Command(name, [...args], { replyEncoding: "utf8" })) as Promise<
      unknown
    >;
  }

  /** Sends a command with all others of this turn; texts in its reply are bytes. */
  #send(name: string, args: readonly WireArgument[]): Promise<unknown> {
    this.#cork();
    return this.#redis.sendCommand(new WireCommand(name, args)) as Promise<unknown>;
  }

  /**
   * Joins the commands of this turn into one write. ioredis's auto-pipelining would send nothing while a reply is due,
   * make another promise and several closures for each command, and keep its pipelines in a Map, which retains them (see
   * cache/transient_map.ts).
   */
  #cork(): void {
    const { stream } = this.#redis;
    if (stream === this.#corked) return;
    this.#corked = stream;
    stream.cork();
    queueMicrotask(() => {
      this.#corked = undefined;
      stream.uncork();
    });
  }
}

/** A command with an encoding of our own. ioredis gets no arguments, which it would inspect one by one. */
class WireCommand extends Command {
  readonly #sent: readonly WireArgument[];

  constructor(name: string, args: readonly WireArgument[]) {
    super(name);
    this.#sent = args;
  }

  /** Writes all pieces except the last, which ioredis writes. */
  override toWritable(socket: object): string | Buffer {
    const pieces = encodeCommand(this.name, this.#sent);
    const last = pieces.length - 1;
    for (let at = 0; at < last; at++) (socket as Writable).write(pieces[at]);
    return pieces[last] as string | Buffer;
  }
}

/** A sentinel's address in ioredis. */
type SentinelAddress = Partial<Record<"host" | "port", string | number>>;

/**
 * ioredis's connector, with `onError` as listener of its connections to sentinels. Those that receive failovers have no
 * other listener, and ioredis writes an error without one to standard error.
 */
function sentinelConnector(
  onError: (error: SentinelError) => void,
): new (options: unknown) => SentinelConnector {
  return class extends SentinelConnector {
    constructor(options: unknown) {
      super(options as SentinelConnectionOptions);
      const connect: (address: SentinelAddress, options?: object) => Redis = this["connectToSentinel"];
      this["connectToSentinel"] = (address: SentinelAddress, options?: object): Redis => {
        const client = connect.call(this, address, options);
        client.on("error", (error) => onError(new SentinelError(`${address.host}:${address.port}`, error)));
        return client;
      };
    }
  };
}
