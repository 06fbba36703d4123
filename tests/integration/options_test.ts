/** The effects of the options of namespaces and secrets on the running service. */
import { DatabaseSync } from "node:sqlite";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { CacheClient, refusal } from "../support/client/client.ts";
import type { EntryName } from "../support/client/messages.ts";
import { startRedis, type ThrowawayRedis } from "../support/redis/redis.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { type ServiceSetup, startService } from "../support/service/service.ts";
import { embeddedProfile, serversProfile } from "../support/service/profile.ts";
import { runProgram } from "../support/service/program.ts";
import { waitFor } from "../support/wait_for.ts";
import { systemClock } from "../../src/core/clock.ts";
import { RedisClient } from "../../src/store/redis/client.ts";

/** The profile with these lines added to the section `cache` of its configuration. */
async function withCache(profile: ServiceSetup, cache: string): Promise<ServiceSetup> {
  const path = `${profile.programOptions.folder}/config.yaml`;
  await Deno.writeTextFile(path, `${await Deno.readTextFile(profile.config)}cache:\n${cache}`);
  return { ...profile, config: path };
}

function value(text: string) {
  return { "type_url": "t", value: new TextEncoder().encode(text) };
}

async function textOf(client: CacheClient, name: EntryName): Promise<string> {
  return new TextDecoder().decode((await client.get(name)).value.value);
}

/** The outcome of a Get: `OK`, or the reason of its error. */
async function outcomeOf(get: Promise<unknown>): Promise<string> {
  return await get.then(() => "OK", async () => (await refusal(get)).reason ?? "");
}

const TIMES = `
  defaults: { max_ttl: 500h }
  namespaces:
    sessions: { default_ttl: 1h, max_ttl: 24h }
    spread: { jitter: 0.2 }
    "odd: name": { default_ttl: 2h }
`;

Deno.test("Set applies the time to live of the namespace, and Get returns it", async () => {
  await using profile = await embeddedProfile();
  await using service = await startService(await withCache(profile, TIMES));
  using client = new CacheClient(service.address);
  const hoursLeft = async (namespace: string, seconds?: number) => {
    const expire = seconds === undefined ? {} : { expire: { seconds } };
    await client.set({ namespace, key: "k", value: value("v"), ...expire });
    const left = (await client.get({ namespace, key: "k" })).expire;
    assert(left !== null, "it expires");
    return (left.seconds + left.nanos / 1e9) / 3600;
  };
  const about = (hours: number, expected: number) =>
    assert(hours <= expected && hours > expected - 0.02, `${hours} hours, expected about ${expected}`);
  about(await hoursLeft("sessions"), 1);
  about(await hoursLeft("sessions", 2 * 3600), 2);
  about(await hoursLeft("sessions", 25 * 3600), 24);
  about(await hoursLeft("odd: name"), 2);
  about(await hoursLeft("any other"), 500);

  const spread: number[] = [];
  for (let round = 0; round < 60; round++) spread.push(await hoursLeft("spread", 100 * 3600));
  assert(spread.every((hours) => hours <= 100 && hours > 79.9), `${spread}`);
  assert(Math.max(...spread) - Math.min(...spread) > 5, `${spread}`);
});

Deno.test("check shows the options of each namespace with their origins", async () => {
  await using profile = await embeddedProfile();
  const { config } = await withCache(profile, TIMES);
  const { code, stdout } = await runProgram(["check", "--config", config]);
  assertEquals(code, 0);
  assertStringIncludes(stdout, '    "odd: name":\n      default_ttl: 2h # file\n');
  assertStringIncludes(stdout, "      max_ttl: 500h # cache.defaults.max_ttl\n");
});

Deno.test("local memory rereads a copy once its time is over, or earlier in the background of a hit", async () => {
  await using profile = await embeddedProfile();
  const cache = `
  namespaces:
    ends: { local_ttl: 100ms }
    renewed: { local_ttl: 1h, refresh_ahead: 0.00001 }
`;
  await using service = await startService(await withCache(profile, cache));
  using client = new CacheClient(service.address);
  const namespaces = ["plain", "ends", "renewed"];
  for (const namespace of namespaces) await client.set({ namespace, key: "k", value: value("old") });
  await client.set({ namespace: "other", key: "k", value: value("new") });
  // Directly in the file, so that local memory is not notified.
  using file = new DatabaseSync(profile.settings["data.database.source"]!, { timeout: 5000 });
  file.exec("UPDATE entry SET value = (SELECT value FROM entry WHERE key = 'namespace:other:k')");

  for (const namespace of ["ends", "renewed"]) {
    await waitFor(async () => await textOf(client, { namespace, key: "k" }) === "new", { what: namespace });
  }
  assertEquals(await textOf(client, { namespace: "plain", key: "k" }), "old");
});

/** Two services on a Redis of the test's own. */
async function twoServices(redis: ThrowawayRedis, resources: AsyncDisposableStack, cache: string) {
  const profile = resources.use(await embeddedProfile());
  const setup = await withCache(profile, cache);
  const clients: CacheClient[] = [];
  for (const name of ["a", "b"]) {
    const service = resources.use(
      await startService(setup, {
        "data.redis.addr": `${redis.hostname}:${redis.port}`,
        "data.redis.read_timeout": "5s",
        "data.redis.write_timeout": "5s",
        "data.database.source": `${profile.programOptions.folder}/data/${name}.db`,
      }),
    );
    assertEquals((await service.logged("invalidations")).state, "tracking");
    clients.push(resources.use(new CacheClient(service.address)));
  }
  const account = { username: "", password: "", db: 0, connectTimeoutMs: 1000 };
  const other = resources.use(
    new RedisClient({ hostname: redis.hostname, port: redis.port, ...account }, systemClock, () => {}),
  );
  await other.ready();
  /** The number of reads that Redis has answered so far. */
  const reads = async () => {
    const stats = String(await other.call("INFO", "commandstats"));
    return Number(/cmdstat_get:calls=(\d+)/.exec(stats)?.[1] ?? 0);
  };
  return { clients: clients as [CacheClient, CacheClient], other, reads };
}

testWithServers(["redis"], "an absent key is remembered until any replica sets it", async () => {
  await using redis = await startRedis();
  await using resources = new AsyncDisposableStack();
  const { clients: [a, b], reads, other } = await twoServices(
    redis,
    resources,
    "  defaults: { negative_ttl: 1h }\n",
  );
  const name = { namespace: "n", key: "k" };
  const remembered = async (client: CacheClient) => {
    await waitFor(async () => {
      const before = await reads();
      assertEquals((await refusal(client.get(name))).reason, "KEY_NOT_FOUND");
      return await reads() === before;
    }, { what: "an answer without a read of Redis" });
  };
  for (let round = 0; round < 5; round++) {
    await remembered(a);
    await remembered(b);
    await a.set({ ...name, value: value(`${round}`) });
    assertEquals(await textOf(a, name), `${round}`, "its own Set counts at once");
    await waitFor(() => textOf(b, name).then((text) => text === `${round}`), { what: "the other replica's" });
    await b.delete(name);
    assertEquals((await refusal(b.get(name))).reason, "KEY_NOT_FOUND");
    await waitFor(async () => await outcomeOf(a.get(name)) === "KEY_NOT_FOUND", { what: "the delete" });
  }
  await remembered(a);
  await other[Symbol.asyncDispose]();
  await redis.stop();
  await waitFor(async () => (await refusal(a.get(name))).code === "UNAVAILABLE", {
    what: "an outage to be no miss",
  });
});

testWithServers(
  ["redis"],
  "an expired copy costs one read of Redis, and other copies cost none",
  async () => {
    await using redis = await startRedis();
    await using resources = new AsyncDisposableStack();
    const cache = "  namespaces: { ends: { local_ttl: 20ms } }\n";
    const { clients: [a], reads, other } = await twoServices(redis, resources, cache);
    const [plain, ends] = [{ namespace: "plain", key: "k" }, { namespace: "ends", key: "k" }];
    for (const name of [plain, ends]) {
      await a.set({ ...name, value: value("v"), expire: { seconds: 600 } });
      await a.get(name);
    }
    const before = await reads();
    for (let round = 0; round < 50; round++) await a.get(plain);
    assertEquals(await reads(), before);
    await waitFor(async () => (await a.get(ends)) && await reads() >= before + 5, { what: "reads of Redis" });
    const { expire } = await a.get(ends);
    const leftMs = Number(await other.call("PTTL", "cacheserver:namespace:ends:k"));
    const saidMs = expire!.seconds * 1000 + expire!.nanos / 1e6;
    assert(
      Math.abs(saidMs - leftMs) < 5000 && saidMs > 500_000,
      "Get returns the value's own time, not the copy's",
    );
  },
);

testWithServers(
  ["redis", "mysql"],
  "an absent secret is remembered until any replica sets it, with the reason of its absence",
  async (servers) => {
    await using profile = await serversProfile(servers);
    const options = { "cache.secrets.negative_ttl": "1h" };
    await using first = await startService(profile, options);
    await using second = await startService(profile, options);
    using a = new CacheClient(first.address);
    using b = new CacheClient(second.address);
    for (const service of [first, second]) {
      assertEquals((await service.logged("invalidations")).state, "tracking");
    }
    // This row is inserted directly into MySQL: a replica that remembers the absence does not see it.
    assertEquals(await outcomeOf(a.getSecret({ key: "hidden" })), "SECRET_NOT_FOUND");
    await profile.database.run(
      "INSERT INTO usercenter_secret (secretID, secretKey, name) VALUES ('hidden', 'x', 'n')",
    );
    assertEquals(await outcomeOf(a.getSecret({ key: "hidden" })), "SECRET_NOT_FOUND");
    assertEquals(await outcomeOf(b.getSecret({ key: "hidden" })), "OK");

    assertEquals(await outcomeOf(b.getSecret({ key: "k" })), "SECRET_NOT_FOUND");
    await a.setSecret({ key: "k", name: "n" });
    await waitFor(async () => await outcomeOf(b.getSecret({ key: "k" })) === "OK", { what: "the secret" });
    await a.setSecret({ key: "k", name: "n", expire: { nanos: 1 } });
    for (let round = 0; round < 3; round++) {
      await waitFor(async () => await outcomeOf(b.getSecret({ key: "k" })) === "SECRET_EXPIRED", {
        what: "the secret to expire",
      });
    }
    await a.setSecret({ key: "k", name: "again" });
    await waitFor(async () => (await b.getSecret({ key: "k" })).name === "again", { what: "the new name" });
  },
);
