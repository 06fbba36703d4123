/**
 * A change that reaches Redis late, over a slow line, from a dead process or after a freeze, is not executed any more:
 * what was acknowledged meanwhile, over any replica, is never undone. See src/store/redis/deadline.ts.
 */
import { assert, assertEquals } from "@std/assert";
import { CacheClient, refusal } from "../support/client/client.ts";
import { askRedis, startRedis, type ThrowawayRedis } from "../support/redis/redis.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { type RunningService, startService } from "../support/service/service.ts";
import { type ServersProfile, serversProfile } from "../support/service/profile.ts";
import { SlowLink } from "../support/network/slow_link.ts";
import { TcpProxy } from "../support/network/tcp_proxy.ts";
import { waitFor } from "../support/wait_for.ts";
import { expectUnavailable } from "./unavailable.ts";

const KEY = { namespace: "n", key: "k" };

const WRITE_TIMEOUT_MS = 200;

/** Time-outs as the configuration has them that the repository ships; and no breaker, which would keep changes back. */
const SETTINGS = {
  "data.redis.write_timeout": `${WRITE_TIMEOUT_MS}ms`,
  "data.redis.read_timeout": "200ms",
  "data.redis.breaker.min_calls": "10000",
};

/** A value that is set by a script, and one by a transaction. */
const SIZES = { small: 10, large: 100_000 };

const valueOf = (name: string, size: number) => ({
  "type_url": `test/${name}`,
  value: new Uint8Array(size).fill(7),
});

/** A replica that reaches Redis by another way than the others. */
function startBehind(
  profile: ServersProfile,
  port: number,
  set: Readonly<Record<string, string>> = {},
): Promise<RunningService> {
  return startService(profile, { ...SETTINGS, "data.redis.addr": `127.0.0.1:${port}`, ...set });
}

/** How many changes Redis has refused as too late: scripts, and transactions whose value had expired. */
async function refusedLate(redis: ThrowawayRedis): Promise<number> {
  const info = await askRedis(redis, "INFO errorstats") + await askRedis(redis, "INFO commandstats");
  const scripts = /^errorstat_LATE:count=(\d+)/m.exec(info)?.[1];
  const transactions = /^cmdstat_rename:.*failed_calls=(\d+)/m.exec(info)?.[1];
  return Number(scripts ?? 0) + Number(transactions ?? 0);
}

/** Name of the value that the replica serves; undefined for none. */
async function served(client: CacheClient): Promise<string | undefined> {
  try {
    return (await client.get(KEY)).value.type_url;
  } catch (error) {
    assertEquals((error as { readonly code: string }).code, "NOT_FOUND");
    return undefined;
  }
}

/** The name of what the key has after the change. */
async function change(client: CacheClient, kind: "Set" | "Del"): Promise<string | undefined> {
  if (kind === "Del") {
    await client.delete(KEY);
    return undefined;
  }
  const value = valueOf("acknowledged", 10);
  await client.set({ ...KEY, value });
  return value.type_url;
}

/** Serves what is expected until Redis has refused one more change than before. */
async function expectUntilRefused(
  redis: ThrowawayRedis,
  client: CacheClient,
  expected: string | undefined,
  refusedBefore: number,
): Promise<void> {
  const isOver = await waitFor(async () => {
    const isRefused = await refusedLate(redis) > refusedBefore;
    return await served(client) !== expected ? "undone" : isRefused && "refused";
  }, { what: "the late change to be refused", timeoutMs: 10_000 });
  assertEquals([isOver, await served(client)], ["refused", expected]);
}

for (const delayMs of [250, 500, 1000]) {
  for (const [size, bytes] of Object.entries(SIZES)) {
    testWithServers(
      ["mysql"],
      `a ${size} Set that takes ${delayMs} ms to reach Redis never undoes what another replica has acknowledged`,
      async ({ mysql }) => {
        await using redis = await startRedis();
        await using profile = await serversProfile({ mysql, redis });
        await using line = await TcpProxy.open(redis);
        await using slow = await startBehind(profile, line.port);
        await using fast = await startService(profile, SETTINGS);
        using a = new CacheClient(slow.address);
        using b = new CacheClient(fast.address);
        for (const kind of ["Set", "Del"] as const) {
          await waitFor(() => a.set({ ...KEY, value: valueOf("before", 10) }).then(() => true), {
            what: "the slow replica to be healthy",
          });
          const refusedBefore = await refusedLate(redis);
          line.delay(delayMs);
          await expectUnavailable(a.set({ ...KEY, value: valueOf("late", bytes) }), "redis");
          const expected = await change(b, kind);
          await expectUntilRefused(redis, b, expected, refusedBefore);
          line.heal();
        }
      },
    );
  }
}

testWithServers(
  ["mysql"],
  "a Set of a replica that was slow from its start on never undoes what another one has acknowledged",
  async ({ mysql }) => {
    await using redis = await startRedis();
    await using profile = await serversProfile({ mysql, redis });
    await using line = await TcpProxy.open(redis);
    line.delay(300);
    await using slow = await startBehind(profile, line.port);
    await using fast = await startService(profile, SETTINGS);
    using a = new CacheClient(slow.address);
    using b = new CacheClient(fast.address);
    const refusedBefore = await refusedLate(redis);
    // Until it has a connection, nothing is sent.
    const over = await waitFor(async () => {
      await expectUnavailable(a.set({ ...KEY, value: valueOf("late", 10) }), "redis");
      const expected = await change(b, "Set");
      const dueMs = performance.now() + 1000;
      while (performance.now() < dueMs) {
        if (await served(b) !== expected) return "undone";
        if (await refusedLate(redis) > refusedBefore) return "refused";
      }
      return undefined;
    }, { what: "a change to be sent", timeoutMs: 20_000 });
    assertEquals(over, "refused");
  },
);

testWithServers(
  ["mysql"],
  "a Set of a process that was killed never undoes what the one in its place has acknowledged",
  async ({ mysql }) => {
    await using redis = await startRedis();
    await using profile = await serversProfile({ mysql, redis });
    using line = new SlowLink(redis);
    await using killed = await startBehind(profile, line.port);
    using a = new CacheClient(killed.address);
    await a.set({ ...KEY, value: valueOf("before", 10) });
    line.hold();
    const late = refusal(a.set({ ...KEY, value: valueOf("late", 10) }));
    await waitFor(() => line.held > 0, { what: "the change to be on its way" });
    await late;
    await killed.kill();
    await using next = await startService(profile, SETTINGS);
    using b = new CacheClient(next.address);
    const expected = await change(b, "Set");
    const refusedBefore = await refusedLate(redis);
    await line.deliver();
    await expectUntilRefused(redis, b, expected, refusedBefore);
  },
);

testWithServers(
  ["mysql"],
  "a Set whose connection is lost is UNAVAILABLE once it is too late for it, one without a connection at once",
  async ({ mysql }) => {
    await using redis = await startRedis();
    await using profile = await serversProfile({ mysql, redis });
    using line = new SlowLink(redis);
    await using slow = await startBehind(profile, line.port);
    await using fast = await startService(profile, SETTINGS);
    using a = new CacheClient(slow.address);
    using b = new CacheClient(fast.address);
    await a.set({ ...KEY, value: valueOf("before", 10) });
    const took = async (value: ReturnType<typeof valueOf>) => {
      const startMs = performance.now();
      await expectUnavailable(a.set({ ...KEY, value }), "redis");
      return performance.now() - startMs;
    };
    line.hold();
    const lost = took(valueOf("late", 10));
    const isHeld = (text: string) => () => line.heldText.includes(text);
    await waitFor(isHeld("test/late"), { what: "the change to be on its way" });
    // Refuses every further connection, too.
    line.close();
    assert(await lost >= WRITE_TIMEOUT_MS, `the call ended after ${await lost} ms`);
    const expected = await change(b, "Set");
    const refusedBefore = await refusedLate(redis);
    await line.deliver();
    await expectUntilRefused(redis, b, expected, refusedBefore);
    const times = [
      await took(valueOf("none", 10)),
      await took(valueOf("none", 10)),
      await took(valueOf("none", 10)),
    ];
    assert(Math.min(...times) < WRITE_TIMEOUT_MS / 2, `without a connection: ${times} ms`);
  },
);

testWithServers(
  ["mysql"],
  "a frozen Redis that continues never executes a change that was answered UNAVAILABLE",
  async ({ mysql }) => {
    await using redis = await startRedis();
    await using profile = await serversProfile({ mysql, redis });
    await using one = await startService(profile, SETTINGS);
    await using other = await startService(profile, SETTINGS);
    using a = new CacheClient(one.address);
    using b = new CacheClient(other.address);
    const before = valueOf("before", 10);
    await a.set({ ...KEY, value: before });
    const refusedBefore = await refusedLate(redis);
    redis.pause();
    try {
      await expectUnavailable(a.set({ ...KEY, value: valueOf("late", 10) }), "redis");
    } finally {
      redis.resume();
    }
    await waitFor(async () => await refusedLate(redis) > refusedBefore, { what: "the refusal" });
    await waitFor(async () => await served(b) === before.type_url, { what: "the value before" });
    const expected = await waitFor(() => change(b, "Set"), { what: "Redis to be used again" });
    assertEquals(await served(b), expected);
  },
);
