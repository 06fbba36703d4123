/** MySQL is out of reach: namespaces are unaffected, cached secrets can be read, and no secret can change. */
import { assert, assertEquals } from "@std/assert";
import { CacheClient, expectUnavailable, refusal } from "../support/client/client.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { startService } from "../support/service/service.ts";
import { TcpProxy } from "../support/network/tcp_proxy.ts";
import { serversProfile } from "../support/service/profile.ts";
import { waitFor } from "../support/wait_for.ts";

const ENTRY = { namespace: "n", key: "k" };
const VALUE = { "type_url": "t", value: new TextEncoder().encode("value") };

testWithServers(
  ["redis", "mysql"],
  "without MySQL cached secrets are served, secrets cannot change, and namespaces are unaffected",
  async (servers) => {
    await using link = await TcpProxy.open(servers.mysql);
    await using profile = await serversProfile(servers, { mysqlPort: link.port });
    await using warm = await startService(profile);
    await using cold = await startService(profile);
    using inMemory = new CacheClient(warm.address);
    using inRedis = new CacheClient(cold.address);
    await inMemory.setSecret({ key: "alice", name: "n" });
    const secret = await inMemory.getSecret({ key: "alice" });
    const stored = await profile.redis.get("secret:alice");

    link.refuse();
    await waitFor(async () => await inMemory.health("database") === "NOT_SERVING", {
      what: "the outage to be detected",
    });
    for (const client of [inMemory, inRedis]) {
      await expectUnavailable(client.setSecret({ key: "alice", name: "other" }), "database");
      await expectUnavailable(client.deleteSecret({ key: "alice" }), "database");
      await expectUnavailable(client.setSecret({ key: "new", name: "n" }), "database");
      await expectUnavailable(client.getSecret({ key: "not cached" }), "database");
    }
    assertEquals(await profile.redis.get("secret:alice"), stored);
    assertEquals(await inRedis.getSecret({ key: "alice" }), secret);
    assertEquals(await inMemory.getSecret({ key: "alice" }), secret);
    await inMemory.set({ ...ENTRY, value: VALUE });
    assertEquals(new Uint8Array((await inRedis.get(ENTRY)).value.value), VALUE.value);
    await inRedis.delete(ENTRY);

    link.heal();
    await waitFor(async () => await inMemory.health("database") === "SERVING", {
      what: "the database's return",
    });
    assertEquals((await refusal(inMemory.getSecret({ key: "not cached" }))).reason, "SECRET_NOT_FOUND");
    await inMemory.setSecret({ key: "alice", name: "other" });
    const { name, secretKey } = await inMemory.getSecret({ key: "alice" });
    assertEquals([name, secretKey], ["other", secret.secretKey]);
    assertEquals(warm.errors, []);
  },
);

testWithServers(
  ["redis", "mysql"],
  "a service starts without MySQL and heals when MySQL is back",
  async (servers) => {
    await using link = await TcpProxy.open(servers.mysql);
    await using profile = await serversProfile(servers, { mysqlPort: link.port });
    link.refuse();
    await using service = await startService(profile);
    using client = new CacheClient(service.address);
    assertEquals(
      await Promise.all(["", "redis", "database"].map((name) => client.health(name))),
      ["SERVING", "SERVING", "NOT_SERVING"],
    );
    await expectUnavailable(client.getSecret({ key: "alice" }), "database");
    await client.set({ ...ENTRY, value: VALUE });
    link.heal();
    await waitFor(async () => await client.health("database") === "SERVING", {
      what: "the database's return",
    });
    await client.setSecret({ key: "alice", name: "n" });
  },
);

testWithServers(
  ["redis", "mysql"],
  "a database without its table is reported, and used once it is migrated",
  async (servers) => {
    await using profile = await serversProfile(servers);
    await profile.database.run("DROP TABLE usercenter_secret");
    await using service = await startService(profile);
    using client = new CacheClient(service.address);
    assertEquals(await client.health("database"), "NOT_SERVING");
    const failure = service.log.find(({ event, tier }) => event === "tier_failed" && tier === "database");
    assert(String(failure?.["error"]).includes("cacheserver migrate"), `the log says ${failure?.["error"]}`);
    await expectUnavailable(client.setSecret({ key: "alice", name: "n" }), "database");
    await profile.migrate();
    await waitFor(async () => await client.health("database") === "SERVING", {
      what: "the table to be found",
    });
    await client.setSecret({ key: "alice", name: "n" });
  },
);
