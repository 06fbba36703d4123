import { Redis } from "ioredis";
import type { Endpoint } from "../../../src/core/endpoint.ts";

/** Direct access to the keys in Redis under one prefix. Keys are given and returned without the prefix. */
export class RedisKeys implements AsyncDisposable {
  readonly #redis: Redis;
  /** The prefix of every key. */
  readonly prefix: string;

  constructor({ hostname, port }: Endpoint, prefix: string) {
    this.#redis = new Redis({ host: hostname, port, retryStrategy: () => 50, disconnectTimeout: 100 });
    // A test that stops its Redis reads from it again once it is back.
    this.#redis.on("error", () => {});
    this.prefix = prefix;
  }

  /** The names of all entries and tombstones, without leases, which hold no data. */
  async names(): Promise<string[]> {
    const names = (await this.#redis.keys(`${this.prefix}*`)).map((name) => name.slice(this.prefix.length));
    return names.filter((name) => !name.startsWith("lease:")).sort();
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return await this.#redis.getBuffer(this.prefix + key) ?? undefined;
  }

  /** As PTTL returns it: -1 for a key that never expires, -2 for a missing one. */
  async timeLeftMs(key: string): Promise<number> {
    return await this.#redis.pttl(this.prefix + key);
  }

  async delete(key: string): Promise<void> {
    await this.#redis.del(this.prefix + key);
  }

  /** Removes everything under the prefix, as FLUSHALL would. */
  async clear(): Promise<void> {
    const names = await this.#redis.keys(`${this.prefix}*`);
    if (names.length > 0) await this.#redis.del(...names);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { status } = this.#redis;
    if (status === "end") return;
    const ended = new Promise((resolve) => this.#redis.once("end", resolve));
    this.#redis.disconnect();
    // Between two attempts no connection is open, and ioredis never emits the end.
    if (status !== "reconnecting") await ended;
  }
}
