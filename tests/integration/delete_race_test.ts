/** Reads in flight during a delete may find the old value; no read that begins after the delete does. */
import { assertEquals } from "@std/assert";
import { FORMAT_TOMBSTONE } from "../../src/store/redis/secret_scripts.ts";
import { CacheClient, refusal } from "../support/client/client.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { startService } from "../support/service/service.ts";
import { TcpProxy } from "../support/network/tcp_proxy.ts";
import { serversProfile } from "../support/service/profile.ts";
import { waitFor } from "../support/wait_for.ts";

const ROUNDS = 15;
const READS = 16;
const VALUE = { "type_url": "t", value: new Uint8Array(100) };

async function expectNothing(client: CacheClient, key: string): Promise<void> {
  assertEquals((await refusal(client.get({ namespace: "n", key }))).reason, "KEY_NOT_FOUND");
  assertEquals((await refusal(client.getSecret({ key }))).reason, "SECRET_NOT_FOUND");
}

for (const reading of ["the same service", "another service"]) {
  testWithServers(
    ["redis", "mysql"],
    `reads of ${reading} in flight while a key is deleted fill no tier with it`,
    async (servers) => {
      await using link = await TcpProxy.open(servers.mysql);
      await using profile = await serversProfile(servers, { mysqlPort: link.port });
      const here = reading === "the same service";
      // Another service's memory is invalidated a moment after the delete has returned.
      const settings = { "cache.local.disabled": String(!here) };
      await using deleting = await startService(profile, settings);
      await using other = await startService(profile, settings);
      using client = new CacheClient(deleting.address);
      using writer = new CacheClient(other.address);
      const reader = here ? client : writer;

      for (let round = 0; round < ROUNDS; round++) {
        const key = String(round);
        await writer.set({ namespace: "n", key, value: VALUE });
        await writer.setSecret({ key, name: "n" });
        // The reading service has no copy in memory, and must read MySQL.
        await profile.redis.delete(`secret:${key}`);

        // The old row arrives only after the delete. Answers that MySQL sends later on other connections are not held.
        const held = link.hold("responses");
        const reads = Array.from(
          { length: READS },
          () => Promise.allSettled([reader.get({ namespace: "n", key }), reader.getSecret({ key })]),
        );
        await waitFor(() => held.pieces.length > 0, { what: "MySQL to have answered", intervalMs: 1 });
        link.stopHolding();
        await Promise.all([client.delete({ namespace: "n", key }), client.deleteSecret({ key })]);
        await expectNothing(client, key);
        held.release();
        await Promise.all(reads);
        await expectNothing(reader, key);
      }
      for (const name of await profile.stored()) {
        assertEquals((await profile.redis.get(name.replace("redis ", "")))?.[0], FORMAT_TOMBSTONE, name);
      }
    },
  );
}
