/** Redis frozen under load: what GetSecret pays for it, and how soon it is over. */
import { assert, assertEquals } from "@std/assert";
import { CacheClient } from "../support/client/client.ts";
import { startRedis } from "../support/redis/redis.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { type LogLine, startService } from "../support/service/service.ts";
import { serversProfile } from "../support/service/profile.ts";
import { waitFor } from "../support/wait_for.ts";

/** Long, so that a call that waits for Redis is recognized on a busy machine, and so are two waits. */
const REDIS_TIMEOUT_MS = 500;
const WORKERS = 8;
/** How many calls are made while Redis is frozen, once it is left alone. */
const FROZEN_CALLS = 2_000;

testWithServers(
  ["mysql"],
  "GetSecret pays no more than one time-out of a frozen Redis, and is as fast as ever 2 s after its return",
  async ({ mysql }) => {
    await using redis = await startRedis();
    await using profile = await serversProfile({ mysql, redis });
    await using service = await startService(profile, {
      "cache.local.disabled": "true",
      "data.redis.read_timeout": `${REDIS_TIMEOUT_MS}ms`,
    });
    using client = new CacheClient(service.address);
    const keys = Array.from({ length: WORKERS }, (_, worker) => `k${worker}`);
    await Promise.all(keys.map((key) => client.setSecret({ key, name: "n" })));

    // From now on an answer says which tier gave it.
    await profile.database.run("UPDATE usercenter_secret SET name = 'in MySQL'");

    // Each worker reads its own secret again and again, so that no two share a flight.
    const tookMs: number[] = [];
    const lastName = new Map<string, string>();
    let isRunning = true;
    const load = Promise.all(keys.map(async (key) => {
      while (isRunning) {
        const startMs = performance.now();
        lastName.set(key, (await client.getSecret({ key })).name);
        tookMs.push(performance.now() - startMs);
      }
    }));
    const states = () => service.log.filter(isBreakerLine).map(({ event }) => event);
    const calls = (count: number) => {
      const enough = tookMs.length + count;
      return waitFor(() => tookMs.length >= enough, { what: `${count} calls`, timeoutMs: 20_000 });
    };
    const allAnsweredBy = (name: string) => keys.every((key) => lastName.get(key) === name);
    try {
      await calls(500);
      assert(allAnsweredBy("n"), "Redis answers");
      redis.pause();
      tookMs.length = 0;
      await waitFor(() => states().includes("breaker_open"), { what: "the breaker to open" });
      const untilOpen = tookMs.splice(0);
      const openMs = performance.now();
      await calls(FROZEN_CALLS);
      const frozenForMs = performance.now() - openMs;
      const frozen = tookMs.splice(0);
      assert(allAnsweredBy("in MySQL"), "MySQL answers");
      redis.resume();
      const backMs = performance.now();
      await waitFor(() => allAnsweredBy("n"), { what: "Redis to answer again" });
      const recoveredAfterMs = performance.now() - backMs;

      assertEquals(states(), ["breaker_open", "breaker_half_open", "breaker_closed"]);
      const longestMs = Math.max(...untilOpen, ...frozen);
      assert(longestMs < 2 * REDIS_TIMEOUT_MS, `${longestMs} ms, expected one time-out at most`);
      // At most one call a probe, and those that were under way when the breaker opened, waited for Redis.
      const slow = frozen.filter((ms) => ms >= REDIS_TIMEOUT_MS).length;
      const mostSlow = WORKERS + frozenForMs / REDIS_TIMEOUT_MS;
      assert(slow <= mostSlow, `${slow} of ${frozen.length} calls waited for Redis, expected ${mostSlow}`);
      assert(recoveredAfterMs < 2_000, `${recoveredAfterMs} ms until Redis was asked again`);
    } finally {
      isRunning = false;
      redis.resume();
      await load;
    }
  },
);

function isBreakerLine({ event, tier }: LogLine): boolean {
  return event.startsWith("breaker_") && tier === "redis";
}
