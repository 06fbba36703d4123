/** What lies where in Local -> Redis -> MySQL, and that a copy never outlives what it is a copy of. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { FORMAT_TOMBSTONE } from "../../src/store/redis/secret_scripts.ts";
import { CacheClient, refusal } from "../support/client/client.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { startService } from "../support/service/service.ts";
import { serversProfile } from "../support/service/profile.ts";
import { waitFor } from "../support/wait_for.ts";

const ENTRY = { namespace: "n", key: "k" };
const ENTRY_IN_REDIS = "namespace:n:k";
const VALUE = { "type_url": "t", value: new TextEncoder().encode("value") };
const NO_MEMORY = { "cache.local.disabled": "true" };

testWithServers(
  ["redis", "mysql"],
  "Set leaves the value in Redis with its time to live",
  async (servers) => {
    await using profile = await serversProfile(servers);
    await using service = await startService(profile);
    using client = new CacheClient(service.address);
    const startMs = performance.now();
    await client.set({ ...ENTRY, value: VALUE, expire: { seconds: 60, nanos: 1 } });
    const leftMs = await profile.redis.timeLeftMs(ENTRY_IN_REDIS);
    const tookMs = performance.now() - startMs;
    assert(leftMs <= 60_001 && leftMs >= 60_001 - tookMs - 2, `${leftMs} ms left after ${tookMs} ms`);
    const stored = new TextDecoder().decode(await profile.redis.get(ENTRY_IN_REDIS));
    assert(stored.endsWith("value"), stored);

    await client.set({ ...ENTRY, value: VALUE });
    assertEquals(await profile.redis.timeLeftMs(ENTRY_IN_REDIS), -1);
    await client.delete(ENTRY);
    assertEquals(await profile.stored(), []);
  },
);

testWithServers(["redis", "mysql"], "Get with a cold memory is answered by Redis", async (servers) => {
  await using profile = await serversProfile(servers);
  await using first = await startService(profile);
  using client = new CacheClient(first.address);
  await client.set({ ...ENTRY, value: VALUE, expire: { seconds: 60 } });
  assertEquals(await first.stop(), 0);

  await using second = await startService(profile);
  using other = new CacheClient(second.address);
  const { value, expire } = await other.get(ENTRY);
  assertEquals(new TextDecoder().decode(value.value), "value");
  assert(expire !== null && expire.seconds < 60, "the time left goes on running");
  // From now on it is in memory, which is invalidated when Redis loses the entry.
  assertEquals((await other.get(ENTRY)).value, value);
  await profile.redis.clear();
  await waitFor(async () => (await refusal(other.get(ENTRY))).reason === "KEY_NOT_FOUND", {
    what: "memory to hear of it",
  });
});

testWithServers(
  ["redis", "mysql"],
  "three services with local memory hear of each other's writes and deletes",
  async (servers) => {
    await using profile = await serversProfile(servers);
    await using services = new AsyncDisposableStack();
    const clients: CacheClient[] = [];
    for (let index = 0; index < 3; index++) {
      const service = services.use(await startService(profile));
      assertEquals((await service.logged("invalidations")).state, "tracking");
      clients.push(services.use(new CacheClient(service.address)));
    }
    const everywhere = (what: string, look: (client: CacheClient) => Promise<boolean>) =>
      Promise.all(clients.map((client) => waitFor(() => look(client), { what })));
    for (let round = 0; round < 6; round++) {
      const writer = clients[round % clients.length]!;
      const bytes = new TextEncoder().encode(String(round));
      await writer.set({ ...ENTRY, value: { "type_url": "t", value: bytes } });
      await writer.setSecret({ key: "k", name: String(round) });
      await everywhere(
        "the new value",
        async (client) => (await client.get(ENTRY)).value.value[0] === bytes[0],
      );
      await everywhere(
        "the new name",
        async (client) => (await client.getSecret({ key: "k" })).name === String(round),
      );
    }
    await clients[1]!.delete(ENTRY);
    await clients[2]!.deleteSecret({ key: "k" });
    await everywhere(
      "the delete",
      async (client) => (await refusal(client.get(ENTRY))).reason === "KEY_NOT_FOUND",
    );
    await everywhere(
      "the delete",
      async (client) => (await refusal(client.getSecret({ key: "k" }))).reason === "SECRET_NOT_FOUND",
    );
  },
);

testWithServers(
  ["redis", "mysql"],
  "SetSecret leaves a row in MySQL and an entry in Redis",
  async (servers) => {
    await using profile = await serversProfile(servers);
    await using service = await startService(profile);
    using client = new CacheClient(service.address);
    await client.setSecret({ key: "alice", name: "n", description: "d", expire: { seconds: 60 } });
    const { secretKey, expires } = await client.getSecret({ key: "alice" });

    const rows = await profile.database.rows(
      "SELECT secretID, secretKey, name, description, expires, status, userID FROM usercenter_secret",
    );
    assertEquals(rows, [{
      secretID: "alice",
      secretKey,
      name: "n",
      description: "d",
      expires: String(expires),
      status: 1,
      userID: "",
    }]);
    const stored = new TextDecoder().decode(await profile.redis.get("secret:alice"));
    assert(stored.includes(secretKey));
    const leftMs = await profile.redis.timeLeftMs("secret:alice");
    const expectedMs = expires * 1000 - Date.now();
    assert(Math.abs(leftMs - expectedMs) < 1_000, `${leftMs} ms left, expected about ${expectedMs}`);
  },
);

testWithServers(
  ["redis", "mysql"],
  "GetSecret is answered by MySQL when Redis was flushed, and Redis filled with the time left",
  async (servers) => {
    await using profile = await serversProfile(servers);
    await using service = await startService(profile, NO_MEMORY);
    using client = new CacheClient(service.address);
    await client.setSecret({ key: "alice", name: "n", expire: { seconds: 60 } });
    const before = await client.getSecret({ key: "alice" });
    await profile.redis.clear();

    assertEquals(await client.getSecret({ key: "alice" }), before);
    const leftMs = await waitFor(async () => {
      const leftMs = await profile.redis.timeLeftMs("secret:alice");
      return leftMs > 0 ? leftMs : undefined;
    }, { what: "Redis to be filled" });
    assert(Math.abs(leftMs - (before.expires * 1000 - Date.now())) < 1_000, `${leftMs} ms left`);

    // Now Redis answers: the row says something else, and is not asked.
    await profile.database.run("UPDATE usercenter_secret SET name = 'in MySQL'");
    assertEquals((await client.getSecret({ key: "alice" })).name, "n");
  },
);

testWithServers(
  ["redis", "mysql"],
  "GetSecret refuses what has expired or is disabled, whichever tier answers",
  async (servers) => {
    await using profile = await serversProfile(servers);
    await using service = await startService(profile, NO_MEMORY);
    using client = new CacheClient(service.address);
    await client.setSecret({ key: "expired", name: "n", expire: { nanos: 1 } });
    await client.setSecret({ key: "disabled", name: "n" });
    await waitFor(() => client.getSecret({ key: "expired" }).then(() => false, () => true), {
      what: "the secret to expire",
    });
    await profile.redis.clear();
    await profile.database.run("UPDATE usercenter_secret SET status = 0 WHERE secretID = 'disabled'");

    // By MySQL first, by Redis once it has been filled.
    for (const tier of ["MySQL", "Redis"]) {
      const expired = await refusal(client.getSecret({ key: "expired" }));
      assertEquals([expired.code, expired.reason], ["NOT_FOUND", "SECRET_EXPIRED"], tier);
      const disabled = await refusal(client.getSecret({ key: "disabled" }));
      assertEquals([disabled.code, disabled.reason], ["PERMISSION_DENIED", "SECRET_DISABLED"], tier);
      await waitFor(() => profile.redis.get("secret:disabled"), { what: "Redis to be filled" });
    }
    assertEquals(await profile.redis.names(), ["secret:disabled"]);
  },
);

testWithServers(
  ["redis", "mysql"],
  "DelSecret leaves no row, no key to read in Redis and nothing in memory",
  async (servers) => {
    await using profile = await serversProfile(servers);
    await using service = await startService(profile);
    using client = new CacheClient(service.address);
    await client.setSecret({ key: "alice", name: "n" });
    await client.getSecret({ key: "alice" });
    await client.deleteSecret({ key: "alice" });

    assertEquals(await profile.stored(), ["redis secret:alice"]);
    const left = await profile.redis.get("secret:alice");
    assertEquals(left?.[0], FORMAT_TOMBSTONE);
    assert(await profile.redis.timeLeftMs("secret:alice") > 0, "the tombstone goes by itself");
    assertEquals((await refusal(client.getSecret({ key: "alice" }))).reason, "SECRET_NOT_FOUND");
  },
);

testWithServers(
  ["redis", "mysql"],
  "two services without local memory see each other's writes and deletes at once",
  async (servers) => {
    await using profile = await serversProfile(servers);
    await using first = await startService(profile, NO_MEMORY);
    await using second = await startService(profile, NO_MEMORY);
    using one = new CacheClient(first.address);
    using two = new CacheClient(second.address);
    let lastKey = "";
    for (let round = 0; round < 20; round++) {
      const [here, there] = round % 2 === 0 ? [one, two] : [two, one];
      const bytes = new TextEncoder().encode(String(round));
      await here.set({ ...ENTRY, value: { "type_url": "t", value: bytes } });
      assertEquals(new Uint8Array((await there.get(ENTRY)).value.value), bytes);
      await here.setSecret({ key: "k", name: String(round) });
      const { name, secretKey } = await there.getSecret({ key: "k" });
      assertEquals(name, String(round));
      if (round % 5 !== 4) {
        lastKey = secretKey;
        continue;
      }
      assertEquals(secretKey, lastKey);
      await there.delete(ENTRY);
      assertEquals((await refusal(here.get(ENTRY))).reason, "KEY_NOT_FOUND");
      await there.deleteSecret({ key: "k" });
      assertEquals((await refusal(here.getSecret({ key: "k" }))).reason, "SECRET_NOT_FOUND");
      await there.setSecret({ key: "k", name: "again" });
      assertNotEquals((await here.getSecret({ key: "k" })).secretKey, lastKey);
    }
  },
);

testWithServers(
  ["redis", "mysql"],
  "writers in two services leave MySQL and Redis agreed on the last of them",
  async (servers) => {
    await using profile = await serversProfile(servers);
    await using first = await startService(profile, NO_MEMORY);
    await using second = await startService(profile, NO_MEMORY);
    using one = new CacheClient(first.address);
    using two = new CacheClient(second.address);
    for (let round = 0; round < 10; round++) {
      await Promise.all(Array.from({ length: 12 }, async (_, index) => {
        const client = index % 2 === 0 ? one : two;
        if (index === round) await client.deleteSecret({ key: "k" });
        else await client.setSecret({ key: "k", name: `${round}.${index}` });
      }));
      await one.setSecret({ key: "k", name: `${round} last` });
      const found = await Promise.all([one, two].map((client) => client.getSecret({ key: "k" })));
      assertEquals(found.map(({ name }) => name), [`${round} last`, `${round} last`]);
      assertEquals(found[0]!.secretKey, found[1]!.secretKey);
    }
  },
);
