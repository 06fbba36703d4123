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
import { connectOptions, type RedisClientOptions } from "./options.ts";
import { SentinelError } from "./sentinel_error.ts";
import { RedisTime, TIME_INTERVAL_MS } from "./time.ts";
import { encodeCommand, type WireArgument } from "./wire.ts";

/** Called when a connection can be used, and when it is gone. */
export interface ConnectionWatcher {
  onReady(): void;
  onLost(): void;
}

/** A message as RESP2 brings it: bytes, or a list or nothing where Redis itself is the sender. */
export type RedisMessage = Buffer | readonly Buffer[] | null;

/** How errors of a server begin that at present does nothing for anybody. */
const UNFIT = ["BUSY", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "NOAUTH"];

/** Whether Redis has answered with an error: it is there, and said no. */
export function isRefusal(error: unknown): boolean {
  return error instanceof Error && error.name === "ReplyError";
}

/** Whether Redis's access list forbids a command. */
export function isForbidden(error: unknown): boolean {
  return error instanceof Error && isRefusal(error) && error.message.startsWith("NOPERM");
}

/**
 * Whether Redis has refused one command, and may well do another: a change for want of memory, replicas or a disk, or
 * what its access list forbids.
 */
export function isRefusalOfOne(error: unknown): boolean {
  return error instanceof Error && isRefusal(error) && !UNFIT.includes(error.message.split(" ", 1)[0]!);
}

/** A connection that owes an answer and says nothing for this long is taken for dead, and opened again. */
const SILENCE_TIMEOUT_MS = 2000;

/** The pause between the first two attempts to connect, which doubles. */
const MIN_RECONNECT_DELAY_MS = 50;

/** The longest pause between two attempts to connect. */
const MAX_RECONNECT_DELAY_MS = 1000;

/** How long a server that does not answer may delay the closing of the connection to it. */
const DISCONNECT_TIMEOUT_MS = 100;

/**
 * One connection to Redis, reopened for ever. Commands of one turn of the event loop travel together.
 *
 * Nothing waits for a connection and nothing is sent twice: a command that cannot be sent now fails now. What was
 * sent may be executed when its connection is long lost, by a network that delivers late; changes have a
 * {@link RedisDeadline} for that.
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
  /** Resolved while commands may be sent. */
  #usable = Promise.withResolvers<void>();
  #isUsable = false;
  #disposed = false;
  /** The stream that holds back what it is given until the end of this turn. */
  #held: Redis["stream"] | undefined;
  /** The number of the present connection, or of the time without one. */
  #connection = 0;

  /**
   * Starts to connect. `onError` is told of each failed attempt and lost connection, and of what the server
   * refuses to do at the beginning of one; a {@link SentinelError} where a connection to a sentinel failed.
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
      // A master that was demoted while the connection stood: whoever knows the new one is asked by connecting.
      reconnectOnError: (error) => error.message.startsWith("READONLY"),
      retryStrategy: (attempt) =>
        Math.min(MIN_RECONNECT_DELAY_MS * 2 ** Math.min(attempt, 10), MAX_RECONNECT_DELAY_MS),
    });
    this.#redis.on("error", onError);
    this.#redis.on("ready", () => this.#begin());
    this.#redis.on("close", () => this.#lose());
    this.#redis.on("end", () => this.#startOver());
  }

  /** Resolves once commands can be sent; never rejects, and waits for ever while the server is away. */
  ready(): Promise<void> {
    this.#noticeLoss();
    return this.#usable.promise;
  }

  get isReady(): boolean {
    this.#noticeLoss();
    return this.#isUsable;
  }

  /** The server that this connection leads to; equal on all connections to it, see {@link RedisEpoch}. */
  get scriptEpoch(): string {
    return this.#epoch.value;
  }

  get epoch(): Epoch | undefined {
    if (!this.isReady) return undefined;
    return this.#epoch.isKnown ? this.#epoch.value : ANY_EPOCH;
  }

  /** Tells of each time that the connection is there or gone, from the next time on. */
  watch(watcher: ConnectionWatcher): void {
    this.#watchers.push(watcher);
  }

  /** Gives the connection up and opens another. */
  reconnect(): void {
    this.#redis.disconnect(true);
  }

  /** Sends a command that has no method of its own here. */
  call(command: string, ...args: string[]): Promise<unknown> {
    return this.#redis.call(command, ...args);
  }

  /** Subscribes this connection, which then takes only further subscriptions and pings, until it is lost. */
  async subscribe(channel: string): Promise<void> {
    this.#timeCheck?.cancel();
    await this.#redis.subscribe(channel);
  }

  /** Hands on each message of all subscriptions. */
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
    return await this.#answered(args, async () => {
      try {
        return await this.#send("evalsha", [script.sha1, keys.length, ...sent]);
      } catch (error) {
        // Redis has lost its scripts or never met this one. Nothing was run, so nothing is run twice.
        if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
        return await this.#send("eval", [script.lua, keys.length, ...sent]);
      }
    });
  }

  /**
   * As a transaction, for Redis's Lua hashes each byte that it is handed: a value that comes too late has expired
   * before it can be given its name. Redis also tells a writer of what its scripts change, and not of this.
   */
  async setBy(incomingKey: string, { key, value, ttlMs, deadline, published }: DirectSet): Promise<void> {
    this.#requireConnection();
    const deadlineMs = this.#argument(deadline);
    const replies = await this.#answered([deadline], () => {
      const queue = (name: string, ...args: WireArgument[]) => {
        // One that is refused has the transaction refused.
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
   * As {@link run}, of keys whose slot the server of a cluster is importing. ASKING counts for one command, hence
   * the whole script: one that the server does not know by name would use it up. Both leave in one write.
   */
  async runAsking(script: RedisScript, keys: readonly string[], ...args: RedisArgument[]): Promise<unknown> {
    this.#requireConnection();
    const sent = this.#asSent(keys, args);
    // A connection that is lost fails the script as well.
    this.#send("asking", []).catch(() => {});
    return await this.#answered(args, () => this.#send("eval", [script.lua, keys.length, ...sent]));
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
    // Between two attempts nothing is open, and ioredis never says that this has ended.
    if (status !== "reconnecting") await ended;
  }

  /** On a fresh connection, before anything else is sent on it. */
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
      // Lost again, which the next connection makes up for.
      return;
    }
    if (connection !== this.#connection) return;
    this.#isUsable = true;
    this.#checkTimeLater();
    for (const watcher of this.#watchers) watcher.onReady();
    this.#usable.resolve();
  }

  /**
   * ioredis gives up for good when a sentinel tells of a failover while the connection is being opened, because it
   * then takes its own hanging up for ours.
   */
  #startOver(): void {
    const connect = () => {
      // Failures are told as errors.
      if (!this.#disposed) this.#redis.connect().catch(() => {});
    };
    if (!this.#disposed) this.#clock.setTimer(connect, MIN_RECONNECT_DELAY_MS, "background");
  }

  /** ioredis rejects the commands of a lost connection first, and says a little later that it has lost it. */
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

  /** While the connection stands, and does not subscribe, which would leave it no other commands. */
  #checkTimeLater(): void {
    const check = () => {
      // What is lost or refused leaves what was told before.
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
      throw new Error("Cannot send to Redis: it does not tell its time, which a change needs");
    }
    return atMs;
  }

  /** The reply to a script that is sent now. */
  async #answered(args: readonly RedisArgument[], send: () => Promise<unknown>): Promise<unknown> {
    const deadline = args.at(-1);
    if (!(deadline instanceof RedisDeadline)) return await send();
    const sentAtMs = this.#clock.monotonic();
    try {
      return await send();
    } catch (error) {
      const redisMs = refusedLateAtMs(error);
      if (redisMs !== undefined) this.#time.heard(redisMs, sentAtMs);
      throw isRefusal(error) ? error : new RedisChangeLost(deadline, error);
    }
  }

  #requireConnection(): void {
    if (!this.isReady) throw new Error("Cannot send to Redis: there is no connection");
  }

  /** Sends a command at once; texts in its reply come as such. */
  #ask(name: string, args: readonly string[]): Promise<unknown> {
    return this.#redis.sendCommand(new Command(name, [...args], { replyEncoding: "utf8" })) as Promise<
      unknown
    >;
  }

  /** Sends a command with all others of this turn; texts in its reply come as bytes. */
  #send(name: string, args: readonly WireArgument[]): Promise<unknown> {
    this.#holdBack();
    return this.#redis.sendCommand(new WireCommand(name, args)) as Promise<unknown>;
  }

  /**
   * Lets what is sent in this turn go out in one write. Not by ioredis's auto-pipelining, which sends nothing while an
   * answer is owed, has another promise and several closures for each command, and keeps its pipelines in a Map, which
   * holds on to them, see cache/transient_map.ts.
   */
  #holdBack(): void {
    const { stream } = this.#redis;
    if (stream === this.#held) return;
    this.#held = stream;
    stream.cork();
    queueMicrotask(() => {
      this.#held = undefined;
      stream.uncork();
    });
  }
}

/** A command that we encode ourselves; ioredis, which would look at each argument before, sees none. */
class WireCommand extends Command {
  readonly #sent: readonly WireArgument[];

  constructor(name: string, args: readonly WireArgument[]) {
    super(name);
    this.#sent = args;
  }

  /** What ioredis is to write, behind what this writes itself. */
  override toWritable(socket: object): string | Buffer {
    const pieces = encodeCommand(this.name, this.#sent);
    const last = pieces.length - 1;
    for (let at = 0; at < last; at++) (socket as Writable).write(pieces[at]);
    return pieces[last] as string | Buffer;
  }
}

/** What ioredis calls each sentinel: it knows its address by these names. */
type SentinelAddress = Partial<Record<"host" | "port", string | number>>;

/**
 * The connector of ioredis, whose connections to sentinels tell `onError` of their errors. Those over which ioredis
 * hears of failovers have no listener otherwise, and ioredis writes an error without one to standard error.
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
