/** Reads that run into a delete: whatever they found on their way, no read that begins afterwards finds anything. */
import { assertEquals } from "@std/assert";
import { CacheClient, refusal } from "../support/client.ts";
import { seededRandom, withSeed } from "../support/seeded_random.ts";
import { testWithServers } from "../support/servers.ts";
import { startService } from "../support/service.ts";
import { ServerLink } from "../support/service_link.ts";
import { serversProfile } from "../support/service_profile.ts";

const ROUNDS = 8;
const READS = 16;
const VALUE = { "type_url": "t", value: new Uint8Array(100) };

/** First byte of a tombstone in Redis, which no reader takes for an answer. */
const TOMBSTONE = 2;

/** Lets the event loop turn so often. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
}

for (const memory of ["with", "without"]) {
  testWithServers(
    ["redis", "mysql"],
    `no read after a delete finds anything, ${memory} memory`,
    async (servers) => {
      await withSeed(async (seed) => {
        const random = seededRandom(seed);
        // Some of MySQL's answers are late: an old row may arrive when the row has long been deleted.
        using link = new ServerLink(servers.mysql, () => turns(random() < 0.1 ? 25 : 1));
        await using profile = await serversProfile(servers, { mysqlPort: link.port });
        const settings = {
          "cache.local.disabled": String(memory === "without"),
          "data.database.query_timeout": "2s",
        };
        await using writing = await startService(profile, settings);
        await using deleting = await startService(profile, settings);
        using writer = new CacheClient(writing.address);
        using client = new CacheClient(deleting.address);
        // One service's memory does not hear of the other's deletes.
        const readers = memory === "with" ? [client] : [client, writer];

        for (let round = 0; round < ROUNDS; round++) {
          // Nothing of it is in the second service's memory yet, and of the secret often not in Redis either.
          const entry = { namespace: "n", key: `${round}` };
          const secret = { key: `${round}` };
          await Promise.all([
            writer.set({ ...entry, value: VALUE }),
            writer.setSecret({ ...secret, name: "n" }),
          ]);
          if (random() < 0.7) await profile.redis.clear();

          const reads = Array.from({ length: READS }, async (_, index) => {
            await turns(index % 5);
            const reader = readers[index % readers.length]!;
            await Promise.allSettled([reader.get(entry), reader.getSecret(secret)]);
          });
          await turns(Math.floor(random() * 4));
          await Promise.all([client.delete(entry), client.deleteSecret(secret)]);
          const expectNothing = async () => {
            assertEquals((await refusal(client.get(entry))).reason, "KEY_NOT_FOUND");
            assertEquals((await refusal(client.getSecret(secret))).reason, "SECRET_NOT_FOUND");
          };
          await expectNothing();
          await Promise.all(reads);
          await expectNothing();
        }
        for (const name of await profile.stored()) {
          assertEquals((await profile.redis.get(name.replace("redis ", "")))?.[0], TOMBSTONE, name);
        }
      });
    },
  );
}
