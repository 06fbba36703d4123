/**
 * The service with tombstones that last 10 s instead of a minute, so that a fault can outlast one within a run. No
 * request lasts as long here: calls end after 1 s, and a replica is frozen for 2 s at most.
 */
import { main } from "../../src/cli/main.ts";
import { RedisClient } from "../../src/store/redis_client.ts";
import { TOMBSTONE_TTL_MS as REAL_TTL_MS } from "../../src/store/redis_secrets.ts";

/** How long a tombstone lasts, in ms. */
export const TOMBSTONE_TTL_MS = 10_000;

if (import.meta.main) {
  const { run } = RedisClient.prototype;
  RedisClient.prototype.run = function (script, keys, ...args) {
    const shortened = args.map((arg) => arg === REAL_TTL_MS ? TOMBSTONE_TTL_MS : arg);
    return run.call(this, script, keys, ...shortened);
  };
  Deno.exit(await main(Deno.args));
}
