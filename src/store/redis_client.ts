import { Buffer } from "node:buffer";
import { Redis } from "ioredis";

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

/** A Lua script on one key; ioredis sends its text once a connection and its SHA-1 from then on. */
export interface RedisScript {
  /** Unique among the scripts of this program. */
  readonly name: string;
  readonly lua: string;
}

/** What the stores send as a script's argument. */
export type RedisArgument = string | number | Uint8Array;

type ScriptCommand = (key: string, ...args: RedisArgument[]) => Promise<unknown>;

/** The longest pause between two attempts to connect. */
const MAX_RECONNECT_DELAY_MS = 1000;

/**
 * One connection to Redis, reopened for ever. Commands of one turn of the event loop travel together.
 *
 * Nothing waits for a connection and nothing is sent twice: a command that cannot be sent now fails now. Kept
 * or repeated after a reconnect, a write that its caller has long given up would overwrite a newer one.
 */
export class RedisClient implements AsyncDisposable {
  readonly #redis: Redis;
  readonly #scripts = new Map<string, ScriptCommand>();

  /** Starts to connect. `onError` is told of each failed attempt and lost connection. */
  constructor(options: RedisClientOptions, onError: (error: Error) => void) {
    this.#redis = new Redis({
      host: options.hostname,
      port: options.port,
      ...(options.username !== "" && { username: options.username }),
      ...(options.password !== "" && { password: options.password }),
      db: options.db,
      connectTimeout: options.connectTimeoutMs,
      protocol: 2,
      enableAutoPipelining: true,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 10), MAX_RECONNECT_DELAY_MS),
    });
    this.#redis.on("error", onError);
  }

  /** Resolves once commands can be sent; never rejects, and waits for ever while the server is away. */
  ready(): Promise<void> {
    if (this.#redis.status === "ready") return Promise.resolve();
    return new Promise((resolve) => this.#redis.once("ready", () => resolve()));
  }

  async ping(): Promise<void> {
    await this.#redis.ping();
  }

  /** Sets a key; for ever when `ttlMs` is Infinity, else for `ttlMs`, a whole number of 1 or more. */
  async set(key: string, value: Uint8Array, ttlMs: number): Promise<void> {
    const bytes = asBuffer(value);
    if (ttlMs === Infinity) await this.#redis.set(key, bytes);
    else await this.#redis.set(key, bytes, "PX", ttlMs);
  }

  async delete(key: string): Promise<void> {
    await this.#redis.del(key);
  }

  /** Runs a script; strings in its reply come as bytes, which may be a view into a larger buffer. */
  run(script: RedisScript, key: string, ...args: RedisArgument[]): Promise<unknown> {
    return (this.#scripts.get(script.name) ?? this.#define(script))(
      key,
      ...args.map((arg) => arg instanceof Uint8Array ? asBuffer(arg) : arg),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#redis.status === "end") return;
    const ended = new Promise<void>((resolve) => this.#redis.once("end", () => resolve()));
    this.#redis.disconnect();
    await ended;
  }

  #define(script: RedisScript): ScriptCommand {
    this.#redis.defineCommand(script.name, { numberOfKeys: 1, lua: script.lua });
    // defineCommand adds the method, and its twin that replies with bytes, under the script's name.
    const method: unknown = Reflect.get(this.#redis, `${script.name}Buffer`);
    if (typeof method !== "function") throw new TypeError(`Cannot define script ${script.name}`);
    const command: ScriptCommand = (...args) => method.apply(this.#redis, args);
    this.#scripts.set(script.name, command);
    return command;
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
