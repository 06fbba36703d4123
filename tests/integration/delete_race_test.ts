/** Reads that run into a delete: whatever they found on their way, no read that begins afterwards finds anything. */
import { assertEquals } from "@std/assert";
import { FORMAT_TOMBSTONE } from "../../src/store/redis/secret_scripts.ts";
import { CacheClient, refusal } from "../support/client/client.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { startService } from "../support/service/service.ts";
import { ServerLink } from "../support/service/link.ts";
import { serversProfile } from "../support/service/profile.ts";
import { waitFor } from "../support/wait_for.ts";

const ROUNDS = 15;
const READS = 16;
const VALUE = { "type_url": "t", value: new Uint8Array(100) };

/**
 * Holds back what MySQL has answered to the reads of a round until the delete is done: an old row arrives when
 * it has long been deleted. Connections that are asked after {@link letPass} are not held.
 */
class Gate {
  #closed: PromiseWithResolvers<void> | undefined;
  held = 0;

  close(): void {
    this.#closed = Promise.withResolvers();
    this.held = 0;
  }

  /** Holds nothing further, and returns how to let go of what is held. */
  letPass(): () => void {
    const closed = this.#closed;
    this.#closed = undefined;
    return () => closed?.resolve();
  }

  wait(): Promise<void> {
    if (this.#closed === undefined) return Promise.resolve();
    this.held++;
    return this.#closed.promise;
  }
}

async function expectNothing(client: CacheClient, key: string): Promise<void> {
  assertEquals((await refusal(client.get({ namespace: "n", key }))).reason, "KEY_NOT_FOUND");
  assertEquals((await refusal(client.getSecret({ key }))).reason, "SECRET_NOT_FOUND");
}

for (const reading of ["the same service", "another service"]) {
  testWithServers(
    ["redis", "mysql"],
    `what reads of ${reading} find while a key is deleted comes back in no tier`,
    async (servers) => {
      const gate = new Gate();
      using link = new ServerLink(servers.mysql, () => gate.wait());
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
        // The reading service has nothing of it in memory, and must ask MySQL.
        await profile.redis.delete(`secret:${key}`);

        gate.close();
        const reads = Array.from(
          { length: READS },
          () => Promise.allSettled([reader.get({ namespace: "n", key }), reader.getSecret({ key })]),
        );
        await waitFor(() => gate.held > 0, { what: "MySQL to have answered", intervalMs: 1 });
        const release = gate.letPass();
        await Promise.all([client.delete({ namespace: "n", key }), client.deleteSecret({ key })]);
        await expectNothing(client, key);
        release();
        await Promise.all(reads);
        await expectNothing(reader, key);
      }
      for (const name of await profile.stored()) {
        assertEquals((await profile.redis.get(name.replace("redis ", "")))?.[0], FORMAT_TOMBSTONE, name);
      }
    },
  );
}
