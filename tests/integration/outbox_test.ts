/** One replica cannot reach Redis: the others still serve its changes, also after it dies. */
import { assertEquals } from "@std/assert";
import { CacheClient, refusal } from "../support/client/client.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { startService } from "../support/service/service.ts";
import { TcpProxy } from "../support/network/tcp_proxy.ts";
import { serversProfile } from "../support/service/profile.ts";
import { waitFor } from "../support/wait_for.ts";

const NO_MEMORY = { "cache.local.disabled": "true" };

testWithServers(
  ["redis", "mysql"],
  "changes by a replica that cannot reach Redis and is killed are served by the others",
  async (servers) => {
    await using profile = await serversProfile(servers);
    await using link = await TcpProxy.open(servers.redis);
    await using cutOff = await startService(profile, {
      ...NO_MEMORY,
      "data.redis.addr": `127.0.0.1:${link.port}`,
    });
    using writer = new CacheClient(cutOff.address);
    await writer.setSecret({ key: "changed", name: "old" });
    await writer.setSecret({ key: "deleted", name: "old" });

    // The other replica starts only after this one is killed, so the record must outlive the process.
    link.refuse();
    await writer.setSecret({ key: "changed", name: "new" });
    await writer.deleteSecret({ key: "deleted" });
    assertEquals((await writer.getSecret({ key: "changed" })).name, "new");
    const recorded = await profile.database.rows("SELECT secretID FROM usercenter_secret_outbox ORDER BY id");
    assertEquals(recorded, [{ secretID: "changed" }, { secretID: "deleted" }]);
    await cutOff.kill();

    // Redis still has the old secrets, and the new replica may not serve them even once.
    await using other = await startService(profile, NO_MEMORY);
    using reader = new CacheClient(other.address);
    assertEquals((await reader.getSecret({ key: "changed" })).name, "new");
    assertEquals((await refusal(reader.getSecret({ key: "deleted" }))).reason, "SECRET_NOT_FOUND");
    await waitFor(
      async () => (await profile.database.rows("SELECT id FROM usercenter_secret_outbox")).length === 0,
      { what: "the outbox to be drained" },
    );
    assertEquals((await reader.getSecret({ key: "changed" })).name, "new");
  },
);

testWithServers(
  ["redis", "mysql"],
  "changes by the only replica that cannot reach Redis are served by the others within seconds",
  async (servers) => {
    await using profile = await serversProfile(servers);
    await using link = await TcpProxy.open(servers.redis);
    await using cutOff = await startService(profile, {
      ...NO_MEMORY,
      "data.redis.addr": `127.0.0.1:${link.port}`,
    });
    await using other = await startService(profile, NO_MEMORY);
    using writer = new CacheClient(cutOff.address);
    using reader = new CacheClient(other.address);
    await writer.setSecret({ key: "k", name: "0" });
    assertEquals((await reader.getSecret({ key: "k" })).name, "0");
    link.refuse();
    for (const name of ["1", "2", "3"]) {
      await writer.setSecret({ key: "k", name });
      await waitFor(async () => (await reader.getSecret({ key: "k" })).name === name, {
        what: `${name} to be served`,
        timeoutMs: 3_000,
      });
    }
  },
);
