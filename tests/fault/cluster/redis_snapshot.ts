import { startRedis, type ThrowawayRedis } from "../../support/redis/redis.ts";
import { tellRedis } from "./tell_redis.ts";

/** Deletes what Redis is the authority for. */
const STRIP =
  `EVAL "for _, key in ipairs(redis.call('KEYS', '*namespace:*')) do redis.call('DEL', key) end" 0`;

/**
 * A snapshot of a Redis, from which that can be started again. Secrets alone come back: of namespaced entries, whose
 * authority Redis is, an old snapshot brings old values back with full right, and a checker that allows for them
 * would miss those that come back without. So to these a start from the snapshot is one with nothing.
 */
export class RedisSnapshot implements AsyncDisposable {
  readonly #redis: ThrowawayRedis;
  readonly #folder: string;

  /** `redis` works in this folder, which the snapshot owns. */
  constructor(redis: ThrowawayRedis, folder: string) {
    this.#redis = redis;
    this.#folder = folder;
  }

  async take(): Promise<void> {
    await tellRedis(this.#redis, "SAVE");
    // Out of the way: other starts are empty.
    await Deno.rename(`${this.#folder}/dump.rdb`, `${this.#folder}/taken.rdb`);
  }

  /** Kills the Redis, and starts it with the secrets that the snapshot has. */
  async restore(): Promise<void> {
    await this.#redis.stop();
    await Deno.rename(`${this.#folder}/taken.rdb`, `${this.#folder}/dump.rdb`);
    {
      // Not under the address where replicas would find what is to be deleted.
      await using aside = await startRedis({ args: ["--dir", this.#folder] });
      await tellRedis(aside, STRIP);
      await tellRedis(aside, "SAVE");
    }
    await this.#redis.start();
    await Deno.remove(`${this.#folder}/dump.rdb`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}
