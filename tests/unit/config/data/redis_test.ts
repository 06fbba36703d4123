import { assertEquals } from "@std/assert";
import { redisAddress, type RedisTopology } from "../../../../src/config/data/redis.ts";
import { EMBEDDED, load, problemLines } from "../loading.ts";

function topology(redis: string, variables: Record<string, string> = {}): RedisTopology | undefined {
  return load(withRedis(redis), { variables }).config.data.redis?.topology;
}

function withRedis(redis: string): string {
  return `data: { database: { driver: sqlite, source: x.db }, redis: ${redis} }`;
}

const SEEDS = [{ hostname: "a", port: 1 }, { hostname: "::1", port: 2 }];

Deno.test("loadConfig() accepts the nodes of a cluster as a list, or as text with commas", () => {
  const cluster = { kind: "cluster", seeds: SEEDS } as const;
  for (const addrs of ['["a:1", "[::1]:2"]', '"a:1, [::1]:2"', '["${HOST}:1", "[::1]:2"]', '"${ALL}"']) {
    const variables = { HOST: "a", ALL: "a:1,[::1]:2" };
    assertEquals(topology(`{ cluster: { addrs: ${addrs} } }`, variables), cluster, addrs);
  }
  const variables = { CACHESERVER_DATA_REDIS_CLUSTER_ADDRS: "a:1,[::1]:2" };
  assertEquals(load(EMBEDDED, { variables }).config.data.redis?.topology, cluster);
});

Deno.test("loadConfig() accepts the name of a master and its sentinels", () => {
  assertEquals(topology('{ sentinel: { master_name: m, addrs: ["a:1", "[::1]:2"], password: p } }'), {
    kind: "sentinel",
    masterName: "m",
    sentinels: SEEDS,
    sentinelUsername: "",
    sentinelPassword: "p",
  });
});

Deno.test("loadConfig() requires exactly one of server, sentinels and cluster, complete", () => {
  const cases: Readonly<Record<string, readonly string[]>> = {
    "{ addr: a:1, cluster: { addrs: a:1 } }": [
      "data.redis: has addr and cluster; expected only one of addr, sentinel and cluster",
    ],
    "{ addr: a:1, sentinel: { password: p }, cluster: { addrs: a:1 } }": [
      "data.redis: has addr, sentinel, and cluster; expected only one of addr, sentinel and cluster",
    ],
    "{ sentinel: { master_name: m } }": [
      "data.redis.sentinel.addrs: is missing; expected the host:port of each sentinel",
    ],
    "{ sentinel: { addrs: a:1 } }": [
      "data.redis.sentinel.master_name: is missing; expected the master's name, such as mymaster",
    ],
    "{ cluster: { addrs: a:1 }, db: 3 }": [
      "data.redis.db: 3 is not in a cluster; expected 0, the only database that a cluster has",
    ],
    "{ cluster: { addrs: [] } }": [
      "data.redis.cluster.addrs: a list is not a list of addresses; expected a list of host:port, or " +
      "host:port,host:port as text",
    ],
    "{ cluster: { addrs: [a:1, a] } }": [
      "data.redis.cluster.addrs: a list is not a list of addresses; expected a list of host:port, or " +
      "host:port,host:port as text",
    ],
    '{ cluster: { addrs: ["${NOBODY}:1"] } }': [
      "data.redis.cluster.addrs: a list refers to NOBODY, which is not set; expected NOBODY in the " +
      "environment, or a default as in ${NOBODY:default}",
    ],
    "{ addr: [a:1] }": [
      "data.redis.addr: a list is not an address; expected host:port with a port from 1 to 65535, such as 127.0.0.1:6379",
    ],
  };
  for (const [redis, problems] of Object.entries(cases)) {
    assertEquals(problemLines(withRedis(redis)), problems);
  }
});

Deno.test("describe() shows the topology of Redis in force, without its secrets", () => {
  const shown = (redis: string) => load(withRedis(redis)).describe();
  const cluster = shown('{ cluster: { addrs: ["a:1", "[::1]:2"] } }');
  assertEquals(load(cluster).config.data.redis?.topology, { kind: "cluster", seeds: SEEDS });
  const sentinel = shown("{ sentinel: { master_name: m, addrs: a:1, password: sesame } }");
  assertEquals(/sesame/.test(sentinel), false);
  assertEquals(/^ {6}password: "\*\*\*" # file$/m.test(sentinel), true, sentinel);
  assertEquals(/sentinel|cluster:/.test(shown("{ addr: a:1 }").replaceAll("cacheserver:", "")), false);
});

Deno.test("redisAddress() names the server, or the sentinels or nodes that lead to it", () => {
  const address = (redis: string) => redisAddress(topology(redis)!);
  assertEquals(address("{ addr: db:6379, password: hunter2 }"), "db:6379");
  assertEquals(
    address("{ sentinel: { master_name: m, addrs: [a:1, '[::1]:2'] }, password: hunter2 }"),
    "m of sentinels a:1, [::1]:2",
  );
  assertEquals(address("{ cluster: { addrs: [a:1, b:2] }, password: hunter2 }"), "cluster of a:1, b:2");
});
