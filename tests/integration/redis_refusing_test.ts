/** A Redis that refuses changes, for want of replicas, memory or disk: it still answers reads, and they must be true. */
import { assertEquals } from "@std/assert";
import { CacheClient, refusal } from "../support/client/client.ts";
import { askRedis, startRedis, type ThrowawayRedis } from "../support/redis/redis.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { startService } from "../support/service/service.ts";
import { serversProfile } from "../support/service/profile.ts";
import { waitFor } from "../support/wait_for.ts";

const VALUE = { "type_url": "type.googleapis.com/test.Value", value: new Uint8Array([1, 2, 3]) };
const NO_MEMORY = { "cache.local.disabled": "true" };

/** Has Redis refuse changes as a master does that has lost its replicas, or take them again. */
async function refuseChanges(redis: ThrowawayRedis, refused: boolean): Promise<void> {
  const reply = await askRedis(redis, `CONFIG SET min-replicas-to-write ${refused ? 1 : 0}`);
  assertEquals(reply, "+OK\r\n");
}

testWithServers(["mysql"], "a Redis that refuses each Set still answers every Get", async ({ mysql }) => {
  await using redis = await startRedis();
  await using profile = await serversProfile({ mysql, redis });
  await using service = await startService(profile, NO_MEMORY);
  using client = new CacheClient(service.address);
  const name = { namespace: "n", key: "k" };
  await client.set({ ...name, value: VALUE });
  await refuseChanges(redis, true);
  for (let round = 0; round < 50; round++) {
    const sets = Array.from({ length: 9 }, (_, key) => client.set({ ...name, key: `${key}`, value: VALUE }));
    const refusals = Promise.all(sets.map(refusal));
    assertEquals((await client.get(name)).value.type_url, VALUE.type_url);
    assertEquals((await refusals).map(({ reason }) => reason), Array(9).fill("STORE_UNAVAILABLE"));
  }
  await refuseChanges(redis, false);
  await client.set({ ...name, value: VALUE });
  assertEquals(service.log.filter(({ event }) => event === "breaker_open"), []);
});

for (const memory of [{}, NO_MEMORY]) {
  testWithServers(
    ["mysql"],
    `what one replica changes while Redis refuses changes, others serve within seconds, ${
      memory === NO_MEMORY ? "without" : "with"
    } memory`,
    async ({ mysql }) => {
      await using redis = await startRedis();
      await using profile = await serversProfile({ mysql, redis });
      await using one = await startService(profile, NO_MEMORY);
      await using other = await startService(profile, memory);
      using writer = new CacheClient(one.address);
      using reader = new CacheClient(other.address);
      for (const key of ["changed", "deleted"]) {
        await writer.setSecret({ key, name: "old" });
        assertEquals((await reader.getSecret({ key })).name, "old");
      }
      await refuseChanges(redis, true);
      await writer.setSecret({ key: "changed", name: "new" });
      await writer.deleteSecret({ key: "deleted" });
      await waitFor(async () => (await reader.getSecret({ key: "changed" })).name === "new", {
        what: "the new secret to be served",
        timeoutMs: 3_000,
      });
      assertEquals((await refusal(reader.getSecret({ key: "deleted" }))).reason, "SECRET_NOT_FOUND");
      // Redis holds the old values. It is used again once it has the tombstones.
      await refuseChanges(redis, false);
      await waitFor(
        async () => (await profile.database.rows("SELECT id FROM usercenter_secret_outbox")).length === 0,
        { what: "the outbox to be worked off" },
      );
      assertEquals((await reader.getSecret({ key: "changed" })).name, "new");
      assertEquals((await refusal(reader.getSecret({ key: "deleted" }))).reason, "SECRET_NOT_FOUND");
    },
  );
}
