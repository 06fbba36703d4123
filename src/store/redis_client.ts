import { Buffer } from "node:buffer";
import { Command, Redis } from "ioredis";
import type { RedisScript } from "./redis_script.ts";
import { RedisSuccession } from "./redis_succession.ts";

/** How to reach a Redis server. */
export interface RedisClientOptions {
  readonly hostname: string;
  readonly port: number;
  /** Empty for Redis's default user. */
  readonly username: string;
  /** Empty when the server asks for none. */
  readonly password: string;
  readonly db: number;
  readonly connectTimeoutMs: number;
}

/** What the stores send as a script's argument. */
export type RedisArgument = string | number | Uint8Array;

/** EVALSHA's and EVAL's twins that reply with bytes, which ioredis has and its types do not name. */
type EvalCommand = (
  script: string,
  keyCount: number,
  key: string,
  ...args: (string | number | Buffer)[]
) => Promise<unknown>;

/** What the stores do with Redis. */
export interface RedisCommands {
  ping(): Promise<void>;
  /** Sets a key; for ever when `ttlMs` is Infinity, else for `ttlMs`, a whole number of 1 or more. */
  set(key: string, value: Uint8Array, ttlMs: number): Promise<void>;
  delete(key: string): Promise<void>;
  /**
   * Runs a script that changes nothing that anybody need hear of; strings in its reply come as bytes, which may
   * be a view into a larger buffer.
   */
  run(script: RedisScript, key: string, ...args: RedisArgument[]): Promise<unknown>;
  /** Runs a script that changes its key, and returns nothing. */
  change(script: RedisScript, key: string, ...args: RedisArgument[]): Promise<void>;
}

/** Called when a connection can be used, and when it is gone. */
export interface ConnectionWatcher {
  onReady(): void;
  onLost(): void;
}

/** A message as RESP2 brings it: bytes, or a list or nothing where Redis itself is the sender. */
export type RedisMessage = Uint8Array | readonly Uint8Array[] | null;

const DECODER = new TextDecoder();

/** A connection that owes an answer and says nothing for this long is taken for dead, and opened again. */
const SILENCE_TIMEOUT_MS = 2000;

/** The longest pause between two attempts to connect. */
const MAX_RECONNECT_DELAY_MS = 1000;

/** How long a server that does not answer may delay the closing of the connection to it. */
const DISCONNECT_TIMEOUT_MS = 100;

/**
 * One connection to Redis, reopened for ever. Commands of one turn of the event loop travel together.
 *
 * Nothing waits for a connection and nothing is sent twice: a command that cannot be sent now fails now. Kept
 * or repeated after a reconnect, a write that its caller has long given up would overwrite a newer one. What was
 * sent and is still on its way then is stopped, see {@link RedisSuccession}.
 */
export class RedisClient implements RedisCommands, AsyncDisposable {
  readonly #redis: Redis;
  readonly #evalSha: EvalCommand;
  readonly #eval: EvalCommand;
  readonly #onError: (error: Error) => void;
  readonly #watchers: ConnectionWatcher[] = [];
  readonly #succession = new RedisSuccession();
  /** Resolved while commands may be sent. */
  #usable = Promise.withResolvers<void>();
  #isUsable = false;
  /** The number of the present connection, or of the time without one. */
  #connection = 0;

  /**
   * Starts to connect. `onError` is told of each failed attempt and lost connection, and of what the server
   * refuses to do at the beginning of one.
   */
  constructor(options: RedisClientOptions, onError: (error: Error) => void) {
    this.#onError = onError;
    this.#redis = new Redis({
      host: options.hostname,
      port: options.port,
      ...(options.username !== "" && { username: options.username }),
      ...(options.password !== "" && { password: options.password }),
      db: options.db,
      connectTimeout: options.connectTimeoutMs,
      disconnectTimeout: DISCONNECT_TIMEOUT_MS,
      socketTimeout: SILENCE_TIMEOUT_MS,
      protocol: 2,
      enableAutoPipelining: true,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      autoResubscribe: false,
      maxRetriesPerRequest: 0,
      retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 10), MAX_RECONNECT_DELAY_MS),
    });
    this.#redis.on("error", onError);
    this.#redis.on("ready", () => this.#begin());
    this.#redis.on("close", () => this.#lose());
    this.#evalSha = this.#command("evalshaBuffer");
    this.#eval = this.#command("evalBuffer");
  }

  /** Resolves once commands can be sent; never rejects, and waits for ever while the server is away. */
  ready(): Promise<void> {
    return this.#usable.promise;
  }

  get isReady(): boolean {
    return this.#isUsable;
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
    await this.#redis.subscribe(channel);
  }

  /** Hands on each message of all subscriptions. */
  onMessage(listener: (channel: string, message: RedisMessage) => void): void {
    this.#redis.on(
      "messageBuffer",
      (channel: Uint8Array, message: RedisMessage) => listener(DECODER.decode(channel), message),
    );
  }

  async ping(): Promise<void> {
    this.#requireConnection();
    await this.#redis.ping();
  }

  async set(key: string, value: Uint8Array, ttlMs: number): Promise<void> {
    this.#requireConnection();
    const bytes = asBuffer(value);
    if (ttlMs === Infinity) await this.#redis.set(key, bytes);
    else await this.#redis.set(key, bytes, "PX", ttlMs);
  }

  async delete(key: string): Promise<void> {
    this.#requireConnection();
    await this.#redis.del(key);
  }

  /**
   * Not by ioredis's defineCommand: a script that is defined while a batch is being collected is missing from
   * that batch, which then takes the process down.
   */
  async run(script: RedisScript, key: string, ...args: RedisArgument[]): Promise<unknown> {
    this.#requireConnection();
    const sent = args.map((arg) => arg instanceof Uint8Array ? asBuffer(arg) : arg);
    try {
      return await this.#evalSha(script.sha1, 1, key, ...sent);
    } catch (error) {
      // Redis has restarted or never met the script. Nothing was run, so nothing is run twice.
      if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
      return await this.#eval(script.lua, 1, key, ...sent);
    }
  }

  async change(script: RedisScript, key: string, ...args: RedisArgument[]): Promise<void> {
    await this.run(script, key, ...args);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#redis.status === "end") return;
    const ended = new Promise<void>((resolve) => this.#redis.once("end", () => resolve()));
    this.#redis.disconnect();
    await ended;
  }

  /** On a fresh connection, before anything else is sent on it. */
  async #begin(): Promise<void> {
    const connection = ++this.#connection;
    const client = (...args: readonly string[]) =>
      this.#redis.sendCommand(new Command("client", [...args], { replyEncoding: "utf8" })) as Promise<
        unknown
      >;
    try {
      await this.#succession.begin(client, this.#onError);
    } catch {
      // Lost again, which the next connection makes up for.
      return;
    }
    if (connection !== this.#connection) return;
    this.#isUsable = true;
    for (const watcher of this.#watchers) watcher.onReady();
    this.#usable.resolve();
  }

  #lose(): void {
    this.#connection++;
    if (!this.#isUsable) return;
    this.#isUsable = false;
    this.#usable = Promise.withResolvers();
    for (const watcher of this.#watchers) watcher.onLost();
  }

  #requireConnection(): void {
    if (!this.#isUsable) throw new Error("Cannot send to Redis: there is no connection");
  }

  #command(name: string): EvalCommand {
    const method: unknown = Reflect.get(this.#redis, name);
    if (typeof method !== "function") throw new TypeError(`Cannot run scripts: ioredis has no ${name}`);
    return (...args) => method.apply(this.#redis, args);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
