/** Redis and MySQL both silent: every call that needs them is UNAVAILABLE in time. */
import { assert, assertEquals } from "@std/assert";
import { CacheClient } from "../support/client/client.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { startService } from "../support/service/service.ts";
import { serversProfile } from "../support/service/profile.ts";
import { TcpProxy } from "../support/network/tcp_proxy.ts";
import { waitFor } from "../support/wait_for.ts";
import { expectUnavailable } from "./unavailable.ts";

const REDIS_TIMEOUT_MS = 400;
const MYSQL_TIMEOUT_MS = 600;
/** What a busy machine may add. */
const SLACK_MS = 1_500;

const ENTRY = { namespace: "n", key: "k" };
const KEPT = { namespace: "n", key: "kept" };
const VALUE = { "type_url": "t", value: new TextEncoder().encode("value") };

testWithServers(
  ["redis", "mysql"],
  "with Redis and MySQL silent every call is UNAVAILABLE within the time-outs, and all is there when they are back",
  async (servers) => {
    await using redisLink = await TcpProxy.open(servers.redis);
    await using mysqlLink = await TcpProxy.open(servers.mysql);
    await using profile = await serversProfile(servers, { mysqlPort: mysqlLink.port });
    await using service = await startService(profile, {
      "data.redis.addr": `127.0.0.1:${redisLink.port}`,
      "data.redis.read_timeout": `${REDIS_TIMEOUT_MS}ms`,
      "data.redis.write_timeout": `${REDIS_TIMEOUT_MS}ms`,
      "data.database.query_timeout": `${MYSQL_TIMEOUT_MS}ms`,
    });
    using client = new CacheClient(service.address);
    await client.set({ ...ENTRY, value: VALUE });
    await client.set({ ...KEPT, value: VALUE });
    for (const key of ["alice", "bob"]) await client.setSecret({ key, name: "n" });
    const secret = await client.getSecret({ key: "bob" });

    redisLink.hold();
    mysqlLink.hold();
    const startMs = performance.now();
    await Promise.all([
      expectUnavailable(client.set({ ...ENTRY, value: VALUE }), "redis"),
      expectUnavailable(client.delete(ENTRY), "redis"),
      expectUnavailable(client.get({ ...ENTRY, key: "not in memory" }), "redis"),
      expectUnavailable(client.setSecret({ key: "alice", name: "other" }), "database"),
      expectUnavailable(client.deleteSecret({ key: "alice" }), "database"),
      expectUnavailable(client.getSecret({ key: "not in memory" }), "database"),
    ]);
    const tookMs = performance.now() - startMs;
    const longestMs = REDIS_TIMEOUT_MS + MYSQL_TIMEOUT_MS + SLACK_MS;
    assert(tookMs < longestMs, `${tookMs} ms, expected less than ${longestMs}`);

    // Once memory has not been confirmed for a while it answers no longer: not a miss, and nothing old.
    await waitFor(async () => {
      const answers = await Promise.allSettled([client.get(KEPT), client.getSecret({ key: "bob" })]);
      return answers.every(({ status }) => status === "rejected");
    }, { what: "local memory to be left alone" });
    await expectUnavailable(client.get(KEPT), "redis");
    await expectUnavailable(client.getSecret({ key: "bob" }), "database");
    await waitFor(async () => {
      const tiers = await Promise.all([client.health("redis"), client.health("database")]);
      return tiers.every((status) => status === "NOT_SERVING");
    }, { what: "both tiers to be found silent" });

    redisLink.heal();
    mysqlLink.heal();
    await waitFor(async () => {
      const tiers = await Promise.all([client.health("redis"), client.health("database")]);
      return tiers.every((status) => status === "SERVING");
    }, { what: "both tiers to be back" });
    // What was asked of it meanwhile may have happened to "k" and "alice"; nothing was asked of these.
    assertEquals(new Uint8Array((await client.get(KEPT)).value.value), VALUE.value);
    assertEquals(await client.getSecret({ key: "bob" }), secret);
    assertEquals(service.errors, []);
  },
);
