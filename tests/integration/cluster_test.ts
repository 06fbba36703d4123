/** A service on a Redis Cluster, by configuration only. */
import { assert, assertEquals } from "@std/assert";
import calculateSlot from "cluster-key-slot";
import { CacheClient, refusal } from "../support/client/client.ts";
import { redisCli, ThrowawayCluster } from "../support/redis/cluster.ts";
import { RedisKeys } from "../support/service/redis.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { startService } from "../support/service/service.ts";
import { behindProfile, type ServersProfile } from "../support/service/profile.ts";
import { waitFor } from "../support/wait_for.ts";
import { expectUnavailable } from "./unavailable.ts";

const value = (text: string) => ({ "type_url": "t", value: new TextEncoder().encode(text) });
const KEYS = Array.from({ length: 30 }, (_, index) => ({ namespace: "n", key: `k${index}` }));

async function profileOn(
  mysql: Parameters<typeof behindProfile>[0],
  cluster: ThrowawayCluster,
): Promise<ServersProfile> {
  return await behindProfile(mysql, cluster.masters[0]!, {
    // One of them is enough.
    "data.redis.cluster.addrs": `${cluster.masters[0]!.hostname}:${cluster.masters[0]!.port}`,
    "data.redis.read_timeout": "500ms",
    "data.redis.write_timeout": "500ms",
  });
}

async function texts(client: CacheClient): Promise<string[]> {
  const found = await Promise.all(KEYS.map((key) => client.get(key)));
  return found.map(({ value }) => new TextDecoder().decode(value.value));
}

testWithServers(
  ["redis", "mysql"],
  "two services on a cluster set, get and delete on every master, and hear of each other's changes",
  async ({ mysql }) => {
    await using cluster = await ThrowawayCluster.start();
    await using profile = await profileOn(mysql, cluster);
    await using first = await startService(profile);
    await using second = await startService(profile);
    for (const service of [first, second]) {
      assertEquals((await service.logged("invalidations")).state, "tracking");
    }
    using writer = new CacheClient(first.address);
    using reader = new CacheClient(second.address);
    assertEquals([await writer.health("redis"), await reader.health("redis")], ["SERVING", "SERVING"]);
    for (let round = 0; round < 3; round++) {
      const expected = KEYS.map(({ key }) => `${key} ${round}`);
      await Promise.all(
        KEYS.map((key) =>
          writer.set({ ...key, value: value(`${key.key} ${round}`), expire: { seconds: 60 } })
        ),
      );
      await waitFor(async () => String(await texts(reader)) === String(expected), { what: "the new values" });
      const [from] = await Promise.all([reader.get(KEYS[0]!)]);
      assert(from.expire !== null && from.expire.seconds <= 60);
    }
    const held = await Promise.all(cluster.masters.map(async ({ hostname, port }) => {
      await using keys = new RedisKeys({ hostname, port }, profile.redis.prefix);
      return (await keys.names()).length;
    }));
    assert(held.every((count) => count > 0), `${held} keys`);
    assertEquals(held.reduce((sum, count) => sum + count), KEYS.length);

    await writer.setSecret({ key: "alice", name: "n" });
    const secret = await writer.getSecret({ key: "alice" });
    assertEquals(await reader.getSecret({ key: "alice" }), secret);
    await writer.deleteSecret({ key: "alice" });
    await Promise.all(KEYS.map((key) => writer.delete(key)));
    for (const key of KEYS) {
      await waitFor(async () => (await refusal(reader.get(key))).reason === "KEY_NOT_FOUND", {
        what: "the delete to reach the other replica",
      });
    }
    await waitFor(
      async () => (await refusal(reader.getSecret({ key: "alice" }))).reason === "SECRET_NOT_FOUND",
      {
        what: "the secret to be gone",
      },
    );
    assertEquals([...first.errors, ...second.errors], []);
  },
);

testWithServers(
  ["redis", "mysql"],
  "a master that is frozen or dead makes its own keys UNAVAILABLE, and no others, until it is back",
  async ({ mysql }) => {
    await using cluster = await ThrowawayCluster.start();
    await using profile = await profileOn(mysql, cluster);
    await using service = await startService(profile);
    using client = new CacheClient(service.address);
    const outcomes = () =>
      Promise.all(KEYS.map(async (key) => {
        try {
          await client.set({ ...key, value: value("1") });
          return "ok";
        } catch {
          return "unavailable";
        }
      }));
    assertEquals(new Set(await outcomes()), new Set(["ok"]));
    const master = cluster.masters[2]!;
    master.pause();
    const dead = await waitFor(async () => {
      const now = await outcomes();
      return now.includes("unavailable") && now;
    }, { what: "the master's loss to be seen" });
    const lost = KEYS.filter((_, index) => dead[index] === "unavailable");
    assert(lost.length < KEYS.length, "the others are served");
    // Nothing but failures, all of the one master, whose breaker counts them.
    for (let times = 0; times < 200; times++) await expectUnavailable(client.delete(lost[0]!), "redis");
    assertEquals(await outcomes(), dead);
    await client.setSecret({ key: "alice", name: "n" });
    assertEquals((await client.getSecret({ key: "alice" })).name, "n");
    await waitFor(async () => await client.health("redis") === "NOT_SERVING", { what: "health to tell" });
    const { tier } = await service.logged("breaker_open");
    assertEquals(tier, `redis ${master.hostname}:${master.port}`);
    for (const heal of [() => master.resume(), () => master.start()]) {
      await heal();
      await waitFor(async () => (await outcomes()).every((outcome) => outcome === "ok"), {
        what: "the master to be used again",
        timeoutMs: 15_000,
      });
      await waitFor(async () => await client.health("redis") === "SERVING", { what: "health to tell" });
      await master.stop();
    }
    assertEquals(await service.stop(), 0);
    assertEquals(service.errors, []);
  },
);

/** How a cluster may name the node in MOVED and ASK, other than by its address. */
const ENDPOINTS = {
  "a host name that does not resolve": (index: number) => ({
    "cluster-preferred-endpoint-type": "hostname",
    "cluster-announce-hostname": `redis-${index}.cache.invalid`,
  }),
  "a host name that is not there": () => ({ "cluster-preferred-endpoint-type": "hostname" }),
  "nothing": () => ({ "cluster-preferred-endpoint-type": "unknown-endpoint" }),
};

for (const [endpoint, settings] of Object.entries(ENDPOINTS)) {
  testWithServers(
    ["redis", "mysql"],
    `redirects that name ${endpoint} are followed while a slot moves and after it`,
    async ({ mysql }) => {
      await using cluster = await ThrowawayCluster.start({ settings });
      await using profile = await profileOn(mysql, cluster);
      // Nothing from memory: each call is one of Redis.
      await using service = await startService(profile, { "cache.local.max_entry_bytes": "1" });
      using client = new CacheClient(service.address);
      const keys = ["there", "going", "gone", "fresh"].map((name) => ({
        namespace: "n",
        key: `{moving}${name}`,
      }));
      const [there, going, gone, fresh] = keys.map(({ key }) => `${profile.redis.prefix}namespace:n:${key}`);
      const slot = calculateSlot(there!);
      const from = cluster.masters[Math.min(2, Math.floor(slot / 5461))]!;
      const to = cluster.masters.find((master) => master !== from)!;
      const read = async () => {
        const found = await Promise.all(keys.map((key) => client.get(key)));
        return found.map(({ value }) => new TextDecoder().decode(value.value));
      };
      const write = (text: string) =>
        Promise.all(keys.map((key) => client.set({ ...key, value: value(text) })));
      await write("before");
      await client.delete(keys[3]!);
      await cluster.moveSlot(slot, from, to, async () => {
        const asked = await redisCli("-p", String(from.port), "GET", fresh!);
        assert(asked.startsWith(`ASK ${slot} `) && !asked.includes(`${to.hostname}:${to.port}`), asked);
        await client.set({ ...keys[3]!, value: value("before") });
        const migrate = ["MIGRATE", to.hostname, String(to.port), "", "0", "5000", "KEYS"];
        await redisCli("-p", String(from.port), ...migrate, going!, gone!);
        assertEquals(await read(), Array(4).fill("before"));
        await write("midway");
        assertEquals(await read(), Array(4).fill("midway"));
        await client.delete(keys[2]!);
        assertEquals((await refusal(client.get(keys[2]!))).reason, "KEY_NOT_FOUND");
        await client.setSecret({ key: "{moving}", name: "n" });
        assertEquals((await client.getSecret({ key: "{moving}" })).name, "n");
        await client.set({ ...keys[2]!, value: value("midway") });
      });
      assertEquals(await read(), Array(4).fill("midway"));
      await write("after");
      assertEquals(await read(), Array(4).fill("after"));
      assertEquals(await service.stop(), 0);
      assertEquals(service.errors, []);
    },
  );
}
