import { systemClock } from "../../../src/core/clock.ts";
import type { CacheKey } from "../../../src/core/key.ts";
import { RedisChanges } from "../../../src/store/redis/changes.ts";
import { RedisClient } from "../../../src/store/redis/client.ts";
import { redisScript } from "../../../src/store/redis/commands.ts";
import { RedisEntries } from "../../../src/store/redis/entries.ts";
import { freshKeyPrefix } from "./redis.ts";
import type { Endpoint } from "../../../src/core/endpoint.ts";

const SET = redisScript("redis.call('SET', KEYS[1], ARGV[1])");
const GET = redisScript("return redis.call('GET', KEYS[1])");
const PTTL = redisScript("return redis.call('PTTL', KEYS[1])");

/** A connection with a unique prefix, and what tests read and change in Redis beside a store. */
export class RedisProbe implements AsyncDisposable {
  readonly keyPrefix = freshKeyPrefix();
  readonly clock = systemClock;
  readonly client: RedisClient;
  readonly changes: RedisChanges;

  /** The connection with which stores write entries. */
  get entries(): RedisEntries {
    return new RedisEntries(this.changes, this.keyPrefix, {
      clock: this.clock,
      newName: () => crypto.randomUUID(),
    });
  }

  private constructor(client: RedisClient) {
    this.client = client;
    this.changes = new RedisChanges(client, this.keyPrefix, {
      clock: this.clock,
      timeoutMs: 5_000,
      newSender: () => crypto.randomUUID(),
    });
  }

  static async open({ hostname, port }: Endpoint): Promise<RedisProbe> {
    const account = { username: "", password: "", db: 0 };
    const client = new RedisClient(
      { hostname, port, ...account, connectTimeoutMs: 5_000 },
      systemClock,
      () => {},
    );
    await client.ready();
    return new RedisProbe(client);
  }

  /** The stored bytes of the key. */
  bytes(key: CacheKey): Promise<Uint8Array | undefined> {
    return this.bytesAt(this.keyPrefix + key);
  }

  /** Like {@link bytes}, for a key that includes the prefix. */
  async bytesAt(key: string): Promise<Uint8Array | undefined> {
    const reply = await this.client.run(GET, [key]);
    return reply instanceof Uint8Array ? new Uint8Array(reply) : undefined;
  }

  /** The key's TTL: Infinity if it never expires, 0 if it is missing. */
  timeLeftMs(key: CacheKey): Promise<number> {
    return this.timeLeftAtMs(this.keyPrefix + key);
  }

  /** Like {@link timeLeftMs}, for a key that includes the prefix. */
  async timeLeftAtMs(key: string): Promise<number> {
    const left = Number(await this.client.run(PTTL, [key]));
    return left === -1 ? Infinity : Math.max(0, left);
  }

  async put(key: CacheKey, bytes: Uint8Array): Promise<void> {
    await this.client.run(SET, [this.keyPrefix + key], bytes);
  }

  /** Deletes the key, as an eviction would. */
  async lose(key: CacheKey): Promise<void> {
    await this.client.call("DEL", this.keyPrefix + key);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
  }
}
