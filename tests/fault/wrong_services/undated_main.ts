/** The service without deadlines in Redis: Redis executes changes of entries however late they arrive. */
import { main } from "../../../src/cli/main.ts";
import { RedisTime } from "../../../src/store/redis/time.ts";
import { shortenTombstones } from "../short_tombstones.ts";

/** A day: longer than any run. */
const LATE_MS = 86_400_000;

if (import.meta.main) {
  shortenTombstones();
  const { at } = RedisTime.prototype;
  RedisTime.prototype.at = function (atMs) {
    const redisMs = at.call(this, atMs);
    return redisMs === undefined ? undefined : redisMs + LATE_MS;
  };
  Deno.exit(await main(Deno.args));
}
