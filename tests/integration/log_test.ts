/** The log that an operator reads: at the start, when a store fails, and for each call at level debug. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import manifest from "../../deno.json" with { type: "json" };
import { CacheClient, refusal } from "../support/client/client.ts";
import { freePort } from "../support/network/free_port.ts";
import { askRedis, startRedis } from "../support/redis/redis.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { type LogLine, type RunningService, startService } from "../support/service/service.ts";
import { embeddedProfile, serversProfile } from "../support/service/profile.ts";
import { waitFor } from "../support/wait_for.ts";

const ENTRY = { namespace: "n", key: "k" };
const VALUE = { "type_url": "t", value: new TextEncoder().encode("value") };
const PASSWORD = "hunter2-of-redis";

/** The first line of this event that has these fields, once there is one. */
async function lineWith(
  service: RunningService,
  event: string,
  fields: Readonly<Record<string, unknown>>,
): Promise<LogLine> {
  return await waitFor(
    () =>
      service.log.find((line) =>
        line.event === event && Object.entries(fields).every(([name, value]) => line[name] === value)
      ),
    { what: `${event} with ${JSON.stringify(fields)}`, timeoutMs: 15_000 },
  );
}

Deno.test("serve logs its version, its configuration and its database file first", async () => {
  await using profile = await embeddedProfile();
  await using service = await startService(profile, { "log.level": "info" });
  const [first] = service.log;
  assertEquals(first?.event, "starting");
  assertEquals(first?.version, manifest.version);
  assertMatch(String(first?.commit), /^[0-9a-f]{12}/);
  assertMatch(String(first?.deno), /^\d+\.\d+\.\d+$/);
  assertEquals(first?.configuration, profile.config);
  assertEquals(first?.database, profile.settings["data.database.source"]);
  assertEquals(first?.redis, undefined);
});

testWithServers(
  ["redis", "mysql"],
  "serve logs its servers' addresses first, and no secret",
  async (servers) => {
    await using profile = await serversProfile(servers);
    await using service = await startService(profile);
    const [first] = service.log;
    const { redis, mysql } = servers;
    assertEquals(first?.redis, `${redis.hostname}:${redis.port}`);
    assertEquals(first?.database, `${mysql.hostname}:${mysql.port}/${profile.database.config.database}`);
    assert(mysql.password === "" || !JSON.stringify(service.log).includes(mysql.password));
  },
);

testWithServers(
  ["mysql"],
  "the log names the configuration key of a password that Redis refuses or misses, and the address of Redis",
  async ({ mysql }) => {
    await using redis = await startRedis();
    await using profile = await serversProfile({ mysql, redis });
    await using locked = await startRedis();
    await askRedis(locked, `CONFIG SET requirepass ${PASSWORD}`);
    const address = `${locked.hostname}:${locked.port}`;
    for (const [password, said] of [["", /^NOAUTH/], ["wrong-one", /^WRONGPASS/]] as const) {
      await using service = await startService(profile, {
        "data.redis.addr": address,
        "data.redis.password": password,
      });
      const line = await lineWith(service, "tier_failed", { tier: "redis", operation: "connect" });
      assertEquals([line.address, line.check], [address, "data.redis.username, data.redis.password"]);
      assertMatch(String(line.error), said);
      assertEquals((await lineWith(service, "tier_down", { tier: "redis" })).address, address);
      assert(!JSON.stringify(service.log).includes("wrong-one"));
    }
  },
);

testWithServers(
  ["redis", "mysql"],
  "the log names the part of MySQL's source to check, and the address of MySQL",
  async (servers) => {
    await using profile = await serversProfile(servers);
    const { mysql: { hostname, port } } = servers;
    const nowhere = freePort();
    const cases = [
      [`stranger:hunter3@tcp(${hostname}:${port})/d`, `${hostname}:${port}/d`, "(user, password)"],
      [`root:hunter3@tcp(127.0.0.1:${nowhere})/d`, `127.0.0.1:${nowhere}/d`, "(address)"],
    ] as const;
    for (const [source, address, part] of cases) {
      await using service = await startService(profile, { "data.database.source": source });
      const line = await lineWith(service, "tier_failed", { tier: "database" });
      assertEquals([line.address, line.check], [address, `data.database.source ${part}`]);
      assert(!JSON.stringify(service.log).includes("hunter3"));
    }
  },
);

testWithServers(
  ["mysql"],
  "the log counts suppressed failures, even if no further one follows",
  async ({ mysql }) => {
    await using redis = await startRedis();
    await using profile = await serversProfile({ mysql, redis });
    await using service = await startService(profile, { "data.redis.read_timeout": "50ms" });
    using client = new CacheClient(service.address);
    redis.pause();
    for (let call = 0; call < 4; call++) await refusal(client.get(ENTRY));
    redis.resume();
    const line = await waitFor(
      () =>
        service.log.find(({ event, tier, suppressed }) =>
          event === "tier_failed" && tier === "redis" && Number(suppressed) > 0
        ),
      { what: "the count of suppressed failures", timeoutMs: 15_000 },
    );
    assert(Number(line.suppressed) >= 2, JSON.stringify(line));
  },
);

testWithServers(
  ["mysql"],
  "at level debug the log has the tier that answered each call, and its time",
  async ({ mysql }) => {
    await using redis = await startRedis();
    await using profile = await serversProfile({ mysql, redis });
    await using writer = await startService(profile);
    await using service = await startService(profile, { "log.level": "debug" });
    using other = new CacheClient(writer.address);
    using client = new CacheClient(service.address);
    await other.set({ ...ENTRY, value: VALUE });
    await client.get(ENTRY);
    await client.get(ENTRY);
    await refusal(client.get({ ...ENTRY, key: "missing" }));
    await refusal(client.get({ ...ENTRY, namespace: "" }));
    await client.setSecret({ key: "alice", name: "n" });
    const calls = () => service.log.filter(({ event }) => event === "call");
    await waitFor(() => calls().length === 5, { what: "a line for each call" });
    const shown = calls().map(({ method, status, tier }) => [String(method).split("/").at(-1), status, tier]);
    assertEquals(shown.slice(0, 4), [
      ["Get", "OK", "redis"],
      ["Get", "OK", "local"],
      ["Get", "NOT_FOUND", "redis"],
      ["Get", "INVALID_ARGUMENT", undefined],
    ]);
    const [first, second, , , secret] = calls();
    assertMatch(String(first!.tiers), /^redis read [\d.]+ ms$/);
    assert(Number(first!.ms) >= Number(first!.tier_ms) && Number(first!.tier_ms) > 0, JSON.stringify(first));
    assertEquals([second!.tiers, second!.tier_ms], [undefined, undefined]);
    assertEquals([secret!.method, secret!.status], ["/cacheserver.v1.CacheServer/SetSecret", "OK"]);
    assertMatch(String(secret!.tiers), /database write [\d.]+ ms/);
    // Two reads of one key at the same time ask Redis once.
    redis.pause();
    const both = [1, 2].map(() => refusal(client.get({ ...ENTRY, key: "shared" })));
    // Sent later on the same connection: once this is answered, both reads have arrived.
    await client.health("");
    redis.resume();
    await Promise.all(both);
    await waitFor(() => calls().length === 7, { what: "a line for both" });
    assertEquals(calls().slice(5).map(({ tier }) => tier).sort(), ["joined", "redis"]);
    assertEquals(writer.log.filter(({ event }) => event === "call"), []);
  },
);
