/** The service whose changes of entries Redis executes however late they come. */
import { main } from "../../../src/cli/main.ts";
import { RedisTime } from "../../../src/store/redis/time.ts";
import { shortenTombstones } from "../short_tombstones.ts";

/** A day: later than any run. */
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
