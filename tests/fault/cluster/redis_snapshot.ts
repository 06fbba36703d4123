import { startRedis, type ThrowawayRedis } from "../../support/redis/redis.ts";
import { commandRedis } from "./command_redis.ts";

/** Deletes the entries that Redis is the authority for. */
const STRIP =
  `EVAL "for _, key in ipairs(redis.call('KEYS', '*namespace:*')) do redis.call('DEL', key) end" 0`;

/**
 * A snapshot with only secrets, from which a Redis can be started again. Redis is the authority for namespaced entries,
 * so an old snapshot rightly restores old ones, but a checker that allowed this would miss entries that return wrongly.
 * So for entries a start from the snapshot is an empty start.
 */
export class RedisSnapshot implements AsyncDisposable {
  readonly #redis: ThrowawayRedis;
  readonly #folder: string;

  /** The working folder of `redis`; the snapshot owns it. */
  constructor(redis: ThrowawayRedis, folder: string) {
    this.#redis = redis;
    this.#folder = folder;
  }

  async take(): Promise<void> {
    await commandRedis(this.#redis, "SAVE");
    // It is moved away because other starts are empty.
    await Deno.rename(`${this.#folder}/dump.rdb`, `${this.#folder}/taken.rdb`);
  }

  /** Kills the Redis, and starts it with the secrets of the snapshot. */
  async restore(): Promise<void> {
    await this.#redis.stop();
    await Deno.rename(`${this.#folder}/taken.rdb`, `${this.#folder}/dump.rdb`);
    {
      // It starts on another address, so that replicas do not find the entries before they are deleted.
      await using aside = await startRedis({ args: ["--dir", this.#folder] });
      await commandRedis(aside, STRIP);
      await commandRedis(aside, "SAVE");
    }
    await this.#redis.start();
    await Deno.remove(`${this.#folder}/dump.rdb`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}
