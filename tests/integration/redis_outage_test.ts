/** Redis is frozen, or dead at the start or later: what is served, what is refused, and that no stale copy is left. */
import { assert, assertEquals } from "@std/assert";
import { CacheClient, expectUnavailable, refusal } from "../support/client/client.ts";
import { startRedis } from "../support/redis/redis.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { startService } from "../support/service/service.ts";
import { serversProfile } from "../support/service/profile.ts";
import { waitFor } from "../support/wait_for.ts";

const ENTRY = { namespace: "n", key: "k" };
const VALUE = { "type_url": "t", value: new TextEncoder().encode("value") };
const NO_MEMORY = { "cache.local.disabled": "true" };

/** The time-outs of the shipped configuration. */
const TIMEOUTS = { "data.redis.read_timeout": "0.2s", "data.redis.write_timeout": "0.2s" };

testWithServers(
  ["mysql"],
  "a service starts without Redis, keeps secrets in MySQL, and heals when Redis comes back",
  async ({ mysql }) => {
    await using redis = await startRedis();
    await using profile = await serversProfile({ mysql, redis });
    await redis.stop();
    await using service = await startService(profile, TIMEOUTS);
    using client = new CacheClient(service.address);
    assertEquals(
      await Promise.all(["", "local", "redis", "database"].map((name) => client.health(name))),
      ["SERVING", "SERVING", "NOT_SERVING", "SERVING"],
    );

    await expectUnavailable(client.get(ENTRY), "redis");
    await expectUnavailable(client.set({ ...ENTRY, value: VALUE }), "redis");
    await expectUnavailable(client.delete(ENTRY), "redis");
    await client.setSecret({ key: "alice", name: "n" });
    const secret = await client.getSecret({ key: "alice" });
    assertEquals(secret.name, "n");
    await client.setSecret({ key: "bob", name: "n" });
    await client.deleteSecret({ key: "bob" });
    assertEquals((await refusal(client.getSecret({ key: "bob" }))).reason, "SECRET_NOT_FOUND");

    await redis.start();
    await waitFor(async () => await client.health("redis") === "SERVING", { what: "redis to be healthy" });
    await client.set({ ...ENTRY, value: VALUE });
    assertEquals(new Uint8Array((await client.get(ENTRY)).value.value), VALUE.value);
    assertEquals(await client.getSecret({ key: "alice" }), secret);
    assertEquals((await refusal(client.getSecret({ key: "bob" }))).reason, "SECRET_NOT_FOUND");
    assert(service.log.some(({ event, tier }) => event === "tier_down" && tier === "redis"));
    assertEquals(service.errors, []);
  },
);

testWithServers(
  ["mysql"],
  "SetSecret and DelSecret take effect in MySQL while Redis is frozen, and no stale secret is served afterwards",
  async ({ mysql }) => {
    await using redis = await startRedis();
    await using profile = await serversProfile({ mysql, redis });
    await using first = await startService(profile, { ...TIMEOUTS, ...NO_MEMORY });
    await using second = await startService(profile, { ...TIMEOUTS, ...NO_MEMORY });
    using writer = new CacheClient(first.address);
    using other = new CacheClient(second.address);
    await writer.setSecret({ key: "changed", name: "old" });
    await writer.setSecret({ key: "deleted", name: "old" });
    for (const key of ["changed", "deleted"]) assertEquals((await other.getSecret({ key })).name, "old");

    const expectNew = async () => {
      for (const client of [writer, other]) {
        assertEquals((await client.getSecret({ key: "changed" })).name, "new");
        assertEquals((await refusal(client.getSecret({ key: "deleted" }))).reason, "SECRET_NOT_FOUND");
      }
    };
    redis.pause();
    try {
      await Promise.all([
        writer.setSecret({ key: "changed", name: "new" }),
        writer.deleteSecret({ key: "deleted" }),
      ]);
      const rows = await profile.database.rows("SELECT secretID, name FROM usercenter_secret");
      assertEquals(rows, [{ secretID: "changed", name: "new" }]);
      await expectNew();
      await expectUnavailable(writer.get(ENTRY), "redis");
    } finally {
      redis.resume();
    }
    // Commands sent to the frozen server arrive now, late.
    const healthy = waitFor(async () => await writer.health("redis") === "SERVING", {
      what: "redis to be healthy",
    });
    let isHealthy = false;
    healthy.then(() => isHealthy = true, () => {});
    while (!isHealthy) await expectNew();
    await healthy;
    for (let round = 0; round < 20; round++) await expectNew();
    // Redis holds the changed secret again.
    await writer.setSecret({ key: "changed", name: "newer" });
    assertEquals((await other.getSecret({ key: "changed" })).name, "newer");
  },
);

testWithServers(
  ["mysql"],
  "a Redis that loses its data leaves namespaces empty and secrets complete",
  async ({ mysql }) => {
    await using redis = await startRedis();
    await using profile = await serversProfile({ mysql, redis });
    await using service = await startService(profile, { ...TIMEOUTS, ...NO_MEMORY });
    using client = new CacheClient(service.address);
    await client.set({ ...ENTRY, value: VALUE });
    await client.setSecret({ key: "alice", name: "n" });
    await redis.stop();
    await expectUnavailable(client.get(ENTRY), "redis");
    assertEquals((await client.getSecret({ key: "alice" })).name, "n");
    await redis.start();
    const error = await waitFor(async () => {
      const error = await refusal(client.get(ENTRY));
      return error.code === "UNAVAILABLE" ? undefined : error;
    }, { what: "Redis to be reached again" });
    assertEquals(error.reason, "KEY_NOT_FOUND");
    // MySQL alone answers at first: Redis is trusted once the outbox has been read.
    await waitFor(async () => {
      assertEquals((await client.getSecret({ key: "alice" })).name, "n");
      return await profile.redis.get("secret:alice");
    }, { what: "Redis to be filled" });
  },
);

testWithServers(
  ["mysql"],
  "a call that waits for a frozen Redis ends at the earlier of the server's and the client's deadline",
  async ({ mysql }) => {
    await using redis = await startRedis();
    await using profile = await serversProfile({ mysql, redis });
    await using service = await startService(profile, {
      "data.redis.read_timeout": "10s",
      "server.grpc.timeout": "0.3s",
    });
    using client = new CacheClient(service.address);
    redis.pause();
    try {
      const startMs = performance.now();
      const error = await refusal(client.get(ENTRY));
      assertEquals(error.code, "DEADLINE_EXCEEDED");
      const tookMs = performance.now() - startMs;
      assert(tookMs > 250 && tookMs < 2_000, `${tookMs} ms, expected 300`);
      const overdue = await refusal(client.call("Get", ENTRY, { deadline: Date.now() + 50 }));
      assertEquals(overdue.code, "DEADLINE_EXCEEDED");
    } finally {
      redis.resume();
    }
    assertEquals((await refusal(client.get(ENTRY))).code, "NOT_FOUND");
  },
);
