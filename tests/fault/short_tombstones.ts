import { RedisClient } from "../../src/store/redis/client.ts";
import { TOMBSTONE_TTL_MS as REAL_TTL_MS } from "../../src/store/redis/secrets.ts";

/**
 * How long a tombstone lasts, in ms: shorter than the longest fault, and longer than any request here (1 s, in a replica
 * that is frozen for at most 2 s). The tombstone of an unsettled key is renewed each 10 s.
 */
export const TOMBSTONE_TTL_MS = 15_000;

/** Makes the tombstones of this process last {@link TOMBSTONE_TTL_MS} instead of a minute. */
export function shortenTombstones(): void {
  const { run } = RedisClient.prototype;
  RedisClient.prototype.run = function (script, keys, ...args) {
    const shortened = args.map((arg) => arg === REAL_TTL_MS ? TOMBSTONE_TTL_MS : arg);
    return run.call(this, script, keys, ...shortened);
  };
}
