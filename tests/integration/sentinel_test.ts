/** A master that dies or falls silent: the service follows the sentinels to the next one, and serves nothing stale. */
import { assert, assertEquals } from "@std/assert";
import { LocalCoherence } from "../../src/cache/local_coherence.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { InvalidationState } from "../../src/core/ports.ts";
import { RedisChanges } from "../../src/store/redis/changes.ts";
import { RedisClient } from "../../src/store/redis/client.ts";
import { RedisInvalidations } from "../../src/store/redis/invalidations.ts";
import { CacheClient } from "../support/client/client.ts";
import { CoherentReplica } from "../support/redis/coherent_replica.ts";
import { freshKeyPrefix, startRedis, type ThrowawayRedis } from "../support/redis/redis.ts";
import { SentinelSetting } from "../support/redis/sentinel.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { startService } from "../support/service/service.ts";
import { behindProfile } from "../support/service/profile.ts";
import { waitFor } from "../support/wait_for.ts";

/** From the master's last answer: the sentinel's patience, its election, and ours. */
const FAILOVER_MS = 15_000;

const ENTRY = { namespace: "n", key: "k" };
const value = (text: string) => ({ "type_url": "t", value: new TextEncoder().encode(text) });

testWithServers(
  ["redis", "mysql"],
  "a service goes on when its master is frozen and another is promoted, also once the old one answers again",
  async ({ mysql }) => {
    await using setting = await SentinelSetting.start();
    const { hostname, port } = setting.sentinel;
    await using profile = await behindProfile(mysql, setting.master, {
      "data.redis.sentinel.master_name": setting.sentinels.masterName,
      "data.redis.sentinel.addrs": `${hostname}:${port}`,
      "data.redis.read_timeout": "200ms",
      "data.redis.write_timeout": "200ms",
    });
    await using first = await startService(profile);
    await using second = await startService(profile);
    using writer = new CacheClient(first.address);
    using reader = new CacheClient(second.address);
    const read = async () => new TextDecoder().decode((await reader.get(ENTRY)).value.value);
    await writer.set({ ...ENTRY, value: value("before") });
    await writer.setSecret({ key: "alice", name: "before" });
    assertEquals([await read(), (await reader.getSecret({ key: "alice" })).name], ["before", "before"]);

    setting.master.pause();
    await writer.setSecret({ key: "alice", name: "while frozen" });
    await waitFor(async () => (await reader.getSecret({ key: "alice" })).name === "while frozen", {
      what: "the secret without Redis",
    });
    const startMs = performance.now();
    await waitFor(async () => {
      await writer.set({ ...ENTRY, value: value("after") });
      return await read() === "after";
    }, { what: "the next master to serve", timeoutMs: FAILOVER_MS });
    const tookMs = performance.now() - startMs;
    assert(tookMs < FAILOVER_MS, `${tookMs} ms`);

    setting.master.resume();
    for (let round = 0; round < 20; round++) {
      await writer.set({ ...ENTRY, value: value(`${round}`) });
      await writer.setSecret({ key: "alice", name: `${round}` });
      await waitFor(
        async () =>
          await read() === `${round}` && (await reader.getSecret({ key: "alice" })).name === `${round}`,
        { what: `round ${round} on the other replica`, timeoutMs: 1_000 },
      );
    }
    assertEquals([await first.stop(), await second.stop()], [0, 0]);
    assertEquals([...first.errors, ...second.errors], []);
  },
);

testWithServers(
  ["redis", "mysql"],
  "a dead sentinel is reported in one line of the log at a time, and never on standard error",
  async ({ mysql }) => {
    await using setting = await SentinelSetting.start();
    const sentinel = `${setting.sentinel.hostname}:${setting.sentinel.port}`;
    await using profile = await behindProfile(mysql, setting.master, {
      "data.redis.sentinel.master_name": setting.sentinels.masterName,
      "data.redis.sentinel.addrs": sentinel,
    });
    await using service = await startService(profile);
    using client = new CacheClient(service.address);
    await setting.stopSentinel();
    const lines = () => service.log.filter(({ tier }) => tier === `redis sentinel ${sentinel}`);
    await waitFor(() => lines().length >= 2, { what: "the second line", timeoutMs: 30_000 });
    assertEquals(service.errors, []);
    const [first, second] = lines();
    assertEquals([first?.event, first?.operation], ["tier_failed", "connect"]);
    assert(Number(second?.suppressed) >= 5, `${second?.suppressed} failures between the lines`);
    const apartMs = Date.parse(String(second?.time)) - Date.parse(String(first?.time));
    assert(apartMs >= 10_000, `${apartMs} ms`);
    // The master is there all the while.
    await client.set({ ...ENTRY, value: value("1") });
    const failures = service.log.filter(({ event, tier }) => event === "tier_failed" && tier === "redis");
    assertEquals(failures, []);
    assertEquals(await service.stop(), 0);
  },
);

testWithServers(["redis"], "memory is invalidated by the next master after one is killed", async () => {
  await using setting = await SentinelSetting.start();
  const options = { keyPrefix: freshKeyPrefix() };
  await using a = new CoherentReplica(setting.sentinels, options);
  await using b = new CoherentReplica(setting.sentinels, options);
  await Promise.all([a.becomes("tracking"), b.becomes("tracking")]);
  await a.write("1");
  await waitFor(async () => await b.read() === "1" && b.held === "1", { what: "the entry in memory" });

  await setting.master.stop();
  await Promise.all([a.becomes("lost"), b.becomes("lost")]);
  assertEquals([a.held, b.held], [undefined, undefined]);
  await setting.promoted();
  await Promise.all([a.becomes("tracking"), b.becomes("tracking")]);
  for (let round = 0; round < 10; round++) {
    await a.write(`${round}`);
    await waitFor(async () => await b.read() === `${round}` && b.held === `${round}`, {
      what: "the new value in memory",
    });
  }
  await a.delete();
  await waitFor(() => b.held === undefined, { what: "memory to forget the entry" });
});

testWithServers(
  ["redis"],
  "nothing is tracked while a failover has led the two connections to two servers",
  async () => {
    await using one = await startRedis();
    await using other = await startRedis();
    await using resources = new AsyncDisposableStack();
    const connect = ({ hostname, port }: ThrowawayRedis) => {
      const account = { username: "", password: "", db: 0, connectTimeoutMs: 1000 };
      return resources.use(new RedisClient({ hostname, port, ...account }, systemClock, () => {}));
    };
    const [data, listener] = [connect(one), connect(other)];
    const tried = new Promise<void>((resolve) => listener.watch({ onReady() {}, onLost: resolve }));
    const states: InvalidationState[] = [];
    const coherence = new LocalCoherence(systemClock, 0);
    const keyPrefix = freshKeyPrefix();
    resources.use(
      new RedisInvalidations({
        data,
        listener,
        changes: new RedisChanges(data, keyPrefix, {
          clock: systemClock,
          timeoutMs: 1000,
          newSender: () => crypto.randomUUID(),
        }),
        keyPrefix,
        target: coherence,
        clock: systemClock,
        onState: (state) => states.push(state),
      }),
    );
    await tried;
    assertEquals(states, []);
  },
);
