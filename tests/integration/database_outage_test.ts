/** MySQL out of reach: namespaces do not notice, secrets can be read where they are cached, and none can change. */
import { assert, assertEquals } from "@std/assert";
import { CacheClient, refusal } from "../support/client/client.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { startService } from "../support/service/service.ts";
import { ServerLink } from "../support/service/link.ts";
import { serversProfile } from "../support/service/profile.ts";
import { waitFor } from "../support/wait_for.ts";
import { expectUnavailable } from "./unavailable.ts";

const ENTRY = { namespace: "n", key: "k" };
const VALUE = { "type_url": "t", value: new TextEncoder().encode("value") };

testWithServers(
  ["redis", "mysql"],
  "without MySQL cached secrets are served, nothing of them changes, and namespaces do not notice",
  async (servers) => {
    using link = new ServerLink(servers.mysql);
    await using profile = await serversProfile(servers, { mysqlPort: link.port });
    await using warm = await startService(profile);
    await using cold = await startService(profile);
    using inMemory = new CacheClient(warm.address);
    using inRedis = new CacheClient(cold.address);
    await inMemory.setSecret({ key: "alice", name: "n" });
    const secret = await inMemory.getSecret({ key: "alice" });
    const stored = await profile.redis.get("secret:alice");

    link.cut();
    await waitFor(async () => await inMemory.health("database") === "NOT_SERVING", {
      what: "the outage to show",
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

    link.restore();
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
  "a service starts without MySQL and heals when it comes",
  async (servers) => {
    using link = new ServerLink(servers.mysql);
    await using profile = await serversProfile(servers, { mysqlPort: link.port });
    link.cut();
    await using service = await startService(profile);
    using client = new CacheClient(service.address);
    assertEquals(
      await Promise.all(["", "redis", "database"].map((name) => client.health(name))),
      ["SERVING", "SERVING", "NOT_SERVING"],
    );
    await expectUnavailable(client.getSecret({ key: "alice" }), "database");
    await client.set({ ...ENTRY, value: VALUE });
    link.restore();
    await waitFor(async () => await client.health("database") === "SERVING", {
      what: "the database's return",
    });
    await client.setSecret({ key: "alice", name: "n" });
  },
);

testWithServers(
  ["redis", "mysql"],
  "a database without tables is reported as not migrated, and is used once it is migrated",
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
