/** A service stays with its cluster, also when one of the nodes joins another cluster. */
import { assert, assertEquals } from "@std/assert";
import { systemClock } from "../../src/core/clock.ts";
import { RedisClient } from "../../src/store/redis/client.ts";
import { RedisClusterNodes } from "../../src/store/redis/cluster/nodes.ts";
import { CacheClient, refusal } from "../support/client/client.ts";
import { freePort } from "../support/network/free_port.ts";
import { askRedis, type ThrowawayRedis } from "../support/redis/redis.ts";
import { redisCli, ThrowawayCluster, wipe } from "../support/redis/cluster.ts";
import { testWithServers } from "../support/servers/servers.ts";
import type { Endpoint } from "../../src/core/endpoint.ts";
import { type RunningService, startService } from "../support/service/service.ts";
import { discoveredProfile, type ServersProfile } from "../support/service/profile.ts";
import { RedisKeys } from "../support/service/redis.ts";
import { TcpProxy } from "../support/network/tcp_proxy.ts";
import { waitFor } from "../support/wait_for.ts";

const value = (text: string) => ({ "type_url": "t", value: new TextEncoder().encode(text) });
const KEYS = Array.from({ length: 40 }, (_, index) => ({ namespace: "n", key: `k${index}` }));

async function profileOn(
  mysql: Parameters<typeof discoveredProfile>[0],
  cluster: ThrowawayCluster,
  seeds: readonly Endpoint[] = cluster.seeds,
): Promise<ServersProfile> {
  return await discoveredProfile(mysql, cluster.masters[0]!, {
    "data.redis.cluster.addrs": seeds.map(({ hostname, port }) => `${hostname}:${port}`).join(),
    "data.redis.read_timeout": "500ms",
    "data.redis.write_timeout": "500ms",
    // Each call reaches Redis.
    "cache.local.max_entry_bytes": "1",
  });
}

/** The number of Gets by outcome: the text that was read, or the code of the error. */
async function outcomes(client: CacheClient): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  await Promise.all(KEYS.map(async (key) => {
    const outcome = await client.get(key).then(
      ({ value }) => new TextDecoder().decode(value.value),
      async (error) => (await refusal(Promise.reject(error))).code,
    );
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }));
  return counts;
}

async function setAll(client: CacheClient, text: string): Promise<void> {
  await Promise.all(KEYS.map((key) => client.set({ ...key, value: value(text) })));
}

/** The service detects a foreign node after a round of queries; calls meanwhile may fail, but never answer wrongly. */
const ROUNDS = 40;

/** The names of all keys that the service has stored on these nodes. */
async function namesAt(nodes: readonly Endpoint[], { redis }: ServersProfile): Promise<string[]> {
  const names = await Promise.all(nodes.map(async ({ hostname, port }) => {
    await using keys = new RedisKeys({ hostname, port }, redis.prefix);
    return await keys.names();
  }));
  return names.flat();
}

/** Makes a node claim every slot, under an epoch above all those of a young cluster. */
async function claimAllSlots(node: Endpoint): Promise<void> {
  // In one write: otherwise another node could claim a slot between two commands.
  const claim = [
    "CLUSTER DELSLOTSRANGE 0 16383",
    "CLUSTER ADDSLOTSRANGE 0 16383",
    ...Array(10).fill("CLUSTER BUMPEPOCH"),
  ].join("\r\n");
  await waitFor(async () => {
    await askRedis(node, claim);
    return (await redisCli("-p", String(node.port), "CLUSTER", "NODES")).includes(" connected 0-16383");
  }, { what: "the node to claim all slots" });
}

function leftNodes({ log }: RunningService): unknown[] {
  return log.filter(({ event }) => event === "cluster_node_left").map(({ tier }) => tier);
}

testWithServers(
  ["redis", "mysql"],
  "a node that is removed, reset and joined to another cluster draws no reads or writes to that cluster",
  async ({ mysql }) => {
    for (const reset of ["SOFT", "HARD"]) {
      await using home = await ThrowawayCluster.start({ spares: 1 });
      await using foreign = await ThrowawayCluster.start();
      await foreign.raiseEpochs();
      const leaver = home.spares[0]!;
      await using profile = await profileOn(mysql, home, [...home.seeds, leaver]);
      await using service = await startService(profile);
      using client = new CacheClient(service.address);
      await setAll(client, "mine");
      assertEquals(await outcomes(client), { mine: KEYS.length });

      await home.forget(leaver);
      await redisCli("-p", String(leaver.port), "CLUSTER", "RESET", reset);
      await foreign.adopt(leaver);
      for (let round = 0; round < ROUNDS; round++) {
        assertEquals(await outcomes(client), { mine: KEYS.length }, `after RESET ${reset}, round ${round}`);
        await client.setSecret({ key: `s${round}`, name: "n" });
        assertEquals((await client.getSecret({ key: `s${round}` })).name, "n");
      }
      await setAll(client, "mine still");
      assertEquals(await outcomes(client), { "mine still": KEYS.length });
      assertEquals(await namesAt([...foreign.masters, leaver], profile), []);
      assertEquals(leftNodes(service), [`redis ${leaver.hostname}:${leaver.port}`]);
      assertEquals(await client.health("redis"), "SERVING");
      assertEquals(await service.stop(), 0);
      assertEquals(service.errors, []);
    }
  },
);

testWithServers(
  ["redis", "mysql"],
  "a removed node that claims every slot under the greatest epoch gets no calls",
  async ({ mysql }) => {
    await using home = await ThrowawayCluster.start({ spares: 1 });
    const leaver = home.spares[0]!;
    await using profile = await profileOn(mysql, home);
    await using service = await startService(profile);
    using client = new CacheClient(service.address);
    await setAll(client, "mine");
    await home.forget(leaver);
    await claimAllSlots(leaver);
    for (let round = 0; round < ROUNDS; round++) {
      assertEquals(await outcomes(client), { mine: KEYS.length }, `round ${round}`);
    }
    await waitFor(() => leftNodes(service).length > 0, { what: "the node to be dropped" });
    assertEquals(leftNodes(service), [`redis ${leaver.hostname}:${leaver.port}`]);
    assertEquals(await outcomes(client), { mine: KEYS.length });
    assertEquals(await client.health("redis"), "SERVING");
    assertEquals(await service.stop(), 0);
  },
);

for (
  const [fate, join] of Object.entries({
    "has joined another cluster": (leaver: ThrowawayRedis, foreign: ThrowawayCluster) =>
      foreign.adopt(leaver),
    "is a cluster of its own": async (leaver: ThrowawayRedis) => {
      await claimAllSlots(leaver);
      await waitFor(async () => (await askRedis(leaver, "CLUSTER INFO")).includes("cluster_state:ok"), {
        what: "the node to serve all slots",
      });
    },
  })
) {
  testWithServers(
    ["redis", "mysql"],
    `the keys of a master that was wiped and ${fate} are UNAVAILABLE, and no others`,
    async ({ mysql }) => {
      await using home = await ThrowawayCluster.start();
      await using foreign = await ThrowawayCluster.start();
      await foreign.raiseEpochs();
      const leaver = home.masters[1]!;
      await using profile = await profileOn(mysql, home);
      await using service = await startService(profile);
      using client = new CacheClient(service.address);
      await setAll(client, "mine");
      const lost = Number((await askRedis(leaver, "DBSIZE")).slice(1));
      assert(lost > 0 && lost < KEYS.length, `${lost} keys`);

      let isRunning = true;
      const seen = new Set<string>();
      const reading = (async () => {
        while (isRunning) for (const outcome of Object.keys(await outcomes(client))) seen.add(outcome);
      })();
      const mine = KEYS.length - lost;
      try {
        await wipe(leaver);
        await join(leaver, foreign);
        await waitFor(async () => (await outcomes(client)).mine === mine, {
          what: "the other masters' keys",
        });
      } finally {
        isRunning = false;
        await reading;
      }
      assertEquals([...seen].sort(), ["UNAVAILABLE", "mine"]);
      for (let round = 0; round < ROUNDS; round++) {
        assertEquals(await outcomes(client), { mine, UNAVAILABLE: lost }, `round ${round}`);
        await client.setSecret({ key: `s${round}`, name: "n" });
        assertEquals((await client.getSecret({ key: `s${round}` })).name, "n");
      }
      assertEquals(await namesAt([...foreign.masters, leaver], profile), []);
      assertEquals(leftNodes(service), [`redis ${leaver.hostname}:${leaver.port}`]);
      assertEquals(await client.health("redis"), "NOT_SERVING");
      assertEquals(await service.stop(), 0);
    },
  );
}

testWithServers(
  ["redis", "mysql"],
  "a node of another cluster at the address of a dead master gets no calls",
  async ({ mysql }) => {
    await using home = await ThrowawayCluster.start();
    await using foreign = await ThrowawayCluster.start();
    const dying = home.masters[2]!;
    // The same slots, under a greater epoch.
    const heir = foreign.masters[2]!;
    await foreign.raiseEpochs();
    await using profile = await profileOn(mysql, home);
    await using service = await startService(profile);
    using client = new CacheClient(service.address);
    await setAll(client, "mine");
    const lost = Number((await askRedis(dying, "DBSIZE")).slice(1));
    const mine = KEYS.length - lost;
    for (let times = 0; times < 2; times++) {
      await dying.stop();
      const proxy = await TcpProxy.open(heir, dying.port);
      await using _closed = proxy;
      for (let round = 0; round < ROUNDS; round++) {
        assertEquals(await outcomes(client), { mine, UNAVAILABLE: lost }, `${times}, round ${round}`);
        await client.setSecret({ key: `s${round}`, name: "n" });
      }
      await waitFor(() => leftNodes(service).length === times + 1, { what: "the node to be dropped" });
      assertEquals(await namesAt(foreign.masters, profile), []);
      await proxy[Symbol.asyncDispose]();
      await dying.start();
      await waitFor(async () => (await outcomes(client)).NOT_FOUND === lost, {
        what: "the master to return empty",
        timeoutMs: 10_000,
      });
    }
    assertEquals(await service.stop(), 0);
  },
);

testWithServers(
  ["redis"],
  "a connection is not used until its node has confirmed over it that it is a member of the cluster",
  async () => {
    await using home = await ThrowawayCluster.start();
    await using foreign = await ThrowawayCluster.start();
    const dying = home.masters[2]!;
    const name = `${dying.hostname}:${dying.port}`;
    const left: string[] = [];
    const account = { username: "", password: "", db: 0, connectTimeoutMs: 1000 };
    await using nodes = new RedisClusterNodes({
      seeds: home.seeds,
      clock: systemClock,
      connect: (address) => new RedisClient({ ...address, ...account }, systemClock, () => {}),
      onError() {},
      observer: { clusterNodeLeft: (node) => left.push(node), clusterReplaced() {}, clusterUndecided() {} },
    });
    await nodes.ready();
    assert(nodes.client(name) !== undefined);
    await dying.stop();
    await waitFor(() => nodes.client(name) === undefined, { what: "the loss to be seen" });
    await using proxy = await TcpProxy.open(foreign.masters[2]!, dying.port);
    // Slow enough to observe each step of the new connection.
    proxy.delay(50);
    let wasUsed = false;
    await waitFor(() => {
      wasUsed ||= nodes.client(name) !== undefined;
      return left.length > 0;
    }, { what: "the node to be dropped", timeoutMs: 10_000 });
    assertEquals([left, wasUsed], [[name], false]);
  },
);

testWithServers(
  ["redis", "mysql"],
  "a service follows a cluster that is recreated from all its nodes",
  async ({ mysql }) => {
    await using cluster = await ThrowawayCluster.start();
    for (const seeds of [cluster.seeds, cluster.seeds.slice(0, 1)]) {
      await using profile = await profileOn(mysql, cluster, seeds);
      await using service = await startService(profile);
      using client = new CacheClient(service.address);
      await setAll(client, "before");
      await cluster.recreate();
      await waitFor(async () => (await outcomes(client)).NOT_FOUND === KEYS.length, {
        what: "the new cluster to be followed",
      });
      await setAll(client, "after");
      assertEquals(await outcomes(client), { after: KEYS.length });
      await client.setSecret({ key: "alice", name: "n" });
      assertEquals((await client.getSecret({ key: "alice" })).name, "n");
      assertEquals(service.log.filter(({ event }) => event === "cluster_replaced").length, 1);
      assertEquals(await service.stop(), 0);
      assertEquals(service.errors, []);
    }
  },
);

testWithServers(
  ["redis", "mysql"],
  "a service that starts follows the cluster that most of the configured nodes describe",
  async ({ mysql }) => {
    await using home = await ThrowawayCluster.start();
    await using foreign = await ThrowawayCluster.start();
    await foreign.raiseEpochs();
    const stray = foreign.masters[2]!;
    // The foreign node comes first in the list, and at first it alone answers.
    await using profile = await profileOn(mysql, home, [stray, ...home.seeds.slice(0, 2)]);
    for (const master of home.masters) master.pause();
    await using service = await startService(profile);
    for (const master of home.masters) master.resume();
    using client = new CacheClient(service.address);
    await waitFor(() => setAll(client, "mine").then(() => true), { what: "the cluster", timeoutMs: 10_000 });
    assertEquals(await outcomes(client), { mine: KEYS.length });
    assertEquals((await namesAt(home.masters, profile)).length, KEYS.length);
    assertEquals(await namesAt(foreign.masters, profile), []);
    assertEquals(leftNodes(service), [`redis ${stray.hostname}:${stray.port}`]);
    assertEquals(await service.stop(), 0);
  },
);

testWithServers(
  ["redis", "mysql"],
  "a service with most of its configured nodes dead follows the others, also when all masters restart",
  async ({ mysql }) => {
    await using cluster = await ThrowawayCluster.start();
    const dead = [freePort(), freePort()].map((port) => ({ hostname: "127.0.0.1", port }));
    await using profile = await profileOn(mysql, cluster, [...dead, cluster.seeds[0]!]);
    await using service = await startService(profile);
    using client = new CacheClient(service.address);
    const isServed = async () => {
      await setAll(client, "mine");
      return (await outcomes(client)).mine === KEYS.length;
    };
    await waitFor(isServed, { what: "the cluster that one node describes", timeoutMs: 15_000 });
    await Promise.all(cluster.masters.map((master) => master.stop()));
    assertEquals(await outcomes(client), { UNAVAILABLE: KEYS.length });
    await Promise.all(cluster.masters.map((master) => master.start()));
    await waitFor(isServed, { what: "the cluster to be back", timeoutMs: 15_000 });
    assertEquals(leftNodes(service), []);
    assertEquals(await service.stop(), 0);
    assertEquals(service.errors, []);
  },
);
