/** Local memory is invalidated by each change in Redis, by any client, and is not used while that is impossible. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { CONFIRMED_FOR_MS } from "../../src/cache/local_coherence.ts";
import { systemClock } from "../../src/core/clock.ts";
import { ServiceError } from "../../src/core/errors.ts";
import { type CacheKey, cacheKey, secretCacheKey } from "../../src/core/key.ts";
import { RedisClient } from "../../src/store/redis/client.ts";
import { RedisSecrets } from "../../src/store/redis/secrets.ts";
import { secretEntry, version } from "../conformance/secret_entry.ts";
import { CoherentReplica, type CoherentReplicaOptions } from "../support/redis/coherent_replica.ts";
import { startRedis, type ThrowawayRedis } from "../support/redis/redis.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { ServerLink } from "../support/service/link.ts";
import { waitFor } from "../support/wait_for.ts";

const PREFIX = "p:";
const REDIS_KEY = PREFIX + cacheKey("n", "k");
const STORED = (value: string) => `\x01${value}`;

/** A Redis of the test's own, a way into it past the service, and replicas that hold nothing yet. */
class Setting implements AsyncDisposable {
  readonly redis: ThrowawayRedis;
  readonly other: RedisClient;
  readonly #resources = new AsyncDisposableStack();

  private constructor(redis: ThrowawayRedis) {
    this.redis = this.#resources.use(redis);
    const account = { username: "", password: "", db: 0 };
    this.other = this.#resources.use(
      new RedisClient({ ...address(redis), ...account, connectTimeoutMs: 1000 }, systemClock, () => {}),
    );
  }

  static async open(): Promise<Setting> {
    const setting = new Setting(await startRedis());
    await setting.other.ready();
    return setting;
  }

  async replica(
    state: "tracking" | "publishing" | "refused" = "tracking",
    options: Partial<CoherentReplicaOptions> & { readonly port?: number } = {},
  ): Promise<CoherentReplica> {
    const { port = this.redis.port } = options;
    const replica = new CoherentReplica({ ...address(this.redis), port }, { keyPrefix: PREFIX, ...options });
    this.#resources.use(replica);
    await replica.becomes(state);
    return replica;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

function address({ hostname, port }: ThrowawayRedis) {
  return { hostname, port };
}

/** Registers a test with a Redis of its own. */
function test(title: string, run: (setting: Setting) => Promise<void>): void {
  testWithServers(["redis"], title, async () => {
    await using setting = await Setting.open();
    await run(setting);
  });
}

/** Fills the memory of each replica with what is in Redis. */
async function warm(value: string, ...replicas: readonly CoherentReplica[]): Promise<void> {
  for (const replica of replicas) {
    await waitFor(async () => await replica.read() === value && replica.held === value, {
      what: `${value} in memory`,
    });
  }
}

async function forgets(...replicas: readonly CoherentReplica[]): Promise<void> {
  for (const replica of replicas) {
    await waitFor(() => replica.held === undefined, { what: "memory to forget the entry" });
  }
}

test("a write or delete on one replica reaches the memory of all, which keep what is read next", async (setting) => {
  const [a, b, c] = [await setting.replica(), await setting.replica(), await setting.replica()];
  for (let round = 0; round < 30; round++) {
    await a.write(`${round}`);
    assertEquals(await a.read(), `${round}`, "its own write is seen at once");
    await forgets(b, c);
    await warm(`${round}`, a, b, c);
  }
  await b.delete();
  await forgets(a, c);
  assertEquals(await a.read(), undefined);
});

test("a change by another program reaches the memory of every replica", async (setting) => {
  const [a, b] = [await setting.replica(), await setting.replica()];
  const { other } = setting;
  const changes: Readonly<Record<string, () => Promise<unknown>>> = {
    SET: () => other.call("SET", REDIS_KEY, STORED("2")),
    DEL: () => other.call("DEL", REDIS_KEY),
    expiry: () => other.call("PEXPIRE", REDIS_KEY, "1"),
    FLUSHALL: () => other.call("FLUSHALL"),
    async eviction() {
      await other.call("CONFIG", "SET", "maxmemory-policy", "allkeys-random");
      await other.call("CONFIG", "SET", "maxmemory", "1");
      await assertRejects(() => other.call("SET", "p:more", "1"), Error, "OOM");
    },
  };
  for (const [what, change] of Object.entries(changes)) {
    await a.write("1");
    await warm("1", a, b);
    await change();
    await forgets(a, b);
    const left = what === "SET" ? "2" : undefined;
    await waitFor(async () => await a.read() === left && await b.read() === left, { what });
  }
});

for (const type of ["pubsub", "normal"]) {
  test(`memory is emptied when Redis ends the ${type} connection, and used again once Redis reports changes`, async (setting) => {
    const [a, b] = [await setting.replica(), await setting.replica()];
    await a.write("1");
    await warm("1", b);
    await setting.other.call("CLIENT", "KILL", "TYPE", type);
    await setting.other.call("SET", REDIS_KEY, STORED("2"));
    await waitFor(() => b.states.length === 3, { what: "tracking to be lost and on again" });
    assertEquals(b.states, ["tracking", "lost", "tracking"]);
    assertEquals(await b.read(), "2");
    await a.becomes("tracking");
    await a.write("3");
    await forgets(b);
    await warm("3", b);
  });
}

test("memory is bypassed at once when Redis dies, and knows nothing once it is back empty", async (setting) => {
  const [a, patient] = [await setting.replica(), await setting.replica("tracking", { maxStaleMs: 60_000 })];
  await a.write("1");
  await warm("1", a, patient);
  await setting.redis.stop();
  await a.becomes("lost");
  await patient.becomes("lost");
  assertEquals(a.held, undefined);
  assertEquals((await assertRejects(() => a.read(), ServiceError)).code, "store_unavailable");
  assertEquals(await patient.read(), "1", "as long as max_stale allows");
  await setting.redis.start();
  for (const replica of [a, patient]) {
    await replica.becomes("tracking");
    assertEquals(await replica.read(), undefined);
  }
});

test("memory is bypassed soon after Redis has stopped answering without closing anything", async (setting) => {
  const a = await setting.replica();
  await a.write("1");
  setting.redis.pause();
  const pausedAtMs = systemClock.now();
  await forgets(a);
  const tookMs = systemClock.now() - pausedAtMs;
  assertEquals(tookMs < CONFIRMED_FOR_MS + 500, true, `${tookMs} ms`);
  await a.becomes("lost");
  setting.redis.resume();
  await a.becomes("tracking");
  await warm("1", a);
});

test("memory is bypassed when one replica's line is dead on one side, which the others outlive", async (setting) => {
  let reached = () => Promise.resolve();
  using link = new ServerLink(address(setting.redis), () => reached());
  const a = await setting.replica();
  const b = await setting.replica("tracking", { port: link.port });
  await a.write("1");
  await warm("1", b);
  const healed = Promise.withResolvers<void>();
  reached = () => healed.promise;
  await a.write("2");
  assertEquals(b.held, "1", "nothing has reached it");
  await forgets(b);
  await b.becomes("lost");
  reached = () => Promise.resolve();
  healed.resolve();
  await b.becomes("tracking");
  assertEquals(await b.read(), "2");
});

/** What a user of Redis's access list may do with the commands that invalidations need. */
async function user(setting: Setting, ...rules: readonly string[]) {
  const username = "app";
  await setting.other.call("ACL", "SETUSER", username, "on", ">password", "~*", "+@all", ...rules);
  return { username, password: "password" };
}

test("replicas publish what they change where CLIENT TRACKING is refused", async (setting) => {
  const account = await user(setting, "&*", "-client|tracking");
  const [a, b] = [await setting.replica("publishing", account), await setting.replica("publishing", account)];
  for (let round = 0; round < 10; round++) {
    await a.write(`${round}`);
    await warm(`${round}`, a);
    await forgets(b);
    assertEquals(a.held, `${round}`, "its own write does not invalidate it");
    await warm(`${round}`, b);
  }
  // In one script.
  const [set, replaced, deleted] = ["set", "replaced", "deleted"].map((name) => cacheKey("n", name)) as [
    CacheKey,
    CacheKey,
    CacheKey,
  ];
  for (const key of [replaced, deleted]) await a.write("before", key);
  const large = "x".repeat(100_000);
  await waitFor(async () => {
    for (const key of [set, replaced, deleted]) await b.read(key);
    return b.heldOf(replaced) !== undefined && b.heldOf(deleted) !== undefined;
  }, { what: "them in memory" });
  await Promise.all([a.write("after", set), a.write(large, replaced), a.delete(deleted)]);
  for (const [key, value] of [[set, "after"], [replaced, large], [deleted, undefined]] as const) {
    await waitFor(async () => await b.read(key) === value, { what: `the change of ${key}` });
  }
  await a.delete();
  await forgets(b);
  await a.write("before");
  await warm("before", b);
  await setting.other.call("CLIENT", "KILL", "TYPE", "pubsub");
  await waitFor(() => b.states.length === 3, { what: "the channel to be lost and back" });
  assertEquals(b.states, ["publishing", "lost", "publishing"]);
  await a.becomes("publishing");
  await a.write("after");
  await forgets(b);
});

test("memory is not used if Redis refuses both tracking and publishing, and all else works", async (setting) => {
  const a = await setting.replica(
    "refused",
    await user(setting, "resetchannels", "-publish", "-client|tracking"),
  );
  await a.write("1");
  assertEquals([a.held, await a.read(), a.held], [undefined, "1", undefined]);
  await setting.other.call("SET", REDIS_KEY, STORED("2"));
  assertEquals(await a.read(), "2");
});

test("a fill of Redis invalidates the other replicas once, even if it is repeated, and its lease does not", async (setting) => {
  const [a, b] = [await setting.replica(), await setting.replica()];
  const invalidated: string[] = [];
  b.onInvalidated = (key) => invalidated.push(key);
  const key = secretCacheKey("alice");
  const secrets = new RedisSecrets(a.changes, PREFIX, { clock: systemClock, newName: () => "" });
  const found = await secrets.read(key);
  assert(typeof found === "object" && "lease" in found && found.lease !== undefined);
  for (let round = 0; round < 3; round++) {
    await secrets.fill(key, found.lease, secretEntry(key, version(1, 1)));
  }
  // This invalidation arrives after all earlier ones.
  await setting.other.call("SET", "p:secret:last", "");
  await waitFor(() => invalidated.includes("secret:last"), { what: "the last change" });
  assertEquals(invalidated, [key, "secret:last"]);
});
