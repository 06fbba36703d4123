import type { Epoch } from "../core/ports.ts";
import {
  type PrefixedBytes,
  type RedisArgument,
  type RedisCommands,
  type RedisScript,
  redisScript,
} from "./redis_commands.ts";

/** ARGV: value, ttl in ms or 0. */
const SET = redisScript(`
if ARGV[2] == '0' then redis.call('SET', KEYS[1], ARGV[1])
else redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
`);

const DELETE = redisScript("redis.call('DEL', KEYS[1])");

/**
 * Stands behind a script that changes a key: one step with the change, so that no replica misses a change whose
 * writer dies. Whoever may not publish still may write, hence pcall.
 */
const TELL = "\nredis.pcall('PUBLISH', ARGV[#ARGV - 1], ARGV[#ARGV])";

/** How long a sender's name is: a UUID. */
const SENDER_LENGTH = 36;

/** A connection to Redis that tells the other replicas what it changes, where Redis does not do that by itself. */
export class RedisChanges implements RedisCommands {
  readonly #client: RedisCommands;
  readonly #keyPrefix: string;
  readonly #newSender: () => string;
  readonly #telling = new Map<RedisScript, RedisScript>();
  #tells = true;
  #sender: string;
  /** Where changes are published, as the sender's name and the key without its prefix. */
  readonly channel: string;

  /** `newSender` makes a UUID. */
  constructor(client: RedisCommands, keyPrefix: string, newSender: () => string) {
    this.#client = client;
    this.#keyPrefix = keyPrefix;
    this.#newSender = newSender;
    this.#sender = newSender();
    this.channel = `${keyPrefix}invalidate`;
  }

  /** Leaves it to Redis to tell the others; until this is called, and after {@link tellOthers}, they are told. */
  leaveItToRedis(): void {
    this.#tells = false;
  }

  /**
   * Tells the others from now on. Under a new name: a change sent over a connection that was lost may take place
   * after it, and its sender must then hear of it like anybody else.
   */
  tellOthers(): void {
    this.#tells = true;
    this.#sender = this.#newSender();
  }

  /** The key that a message on the channel is about; undefined when this process has sent it. */
  keyOf(message: string): string | undefined {
    return message.startsWith(this.#sender) ? undefined : message.slice(SENDER_LENGTH);
  }

  get spansSlots(): boolean {
    return this.#client.spansSlots;
  }

  get epoch(): Epoch | undefined {
    return this.#client.epoch;
  }

  ping(): Promise<void> {
    return this.#client.ping();
  }

  async set(key: string, value: Uint8Array | PrefixedBytes, ttlMs: number): Promise<void> {
    if (this.#tells) await this.change(SET, [key], value, ttlMs === Infinity ? 0 : ttlMs);
    else await this.#client.set(key, value, ttlMs);
  }

  async delete(key: string): Promise<void> {
    if (this.#tells) await this.change(DELETE, [key]);
    else await this.#client.delete(key);
  }

  run(script: RedisScript, keys: readonly string[], ...args: RedisArgument[]): Promise<unknown> {
    return this.#client.run(script, keys, ...args);
  }

  async change(script: RedisScript, keys: readonly string[], ...args: RedisArgument[]): Promise<void> {
    if (!this.#tells) return await this.#client.change(script, keys, ...args);
    const message = this.#sender + keys[0]!.slice(this.#keyPrefix.length);
    await this.#client.change(this.#tellingTwin(script), keys, ...args, this.channel, message);
  }

  doubtIncarnation(key: string): void {
    this.#client.doubtIncarnation(key);
  }

  #tellingTwin(script: RedisScript): RedisScript {
    let twin = this.#telling.get(script);
    if (twin === undefined) {
      twin = redisScript(script.lua + TELL);
      this.#telling.set(script, twin);
    }
    return twin;
  }
}
