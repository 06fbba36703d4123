/** Commits stall while reads go on: a change without an answer stays unsettled until its outcome is known. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { systemClock } from "../../src/core/clock.ts";
import { ServiceError } from "../../src/core/errors.ts";
import { type CacheKey, secretCacheKey } from "../../src/core/key.ts";
import { migrateMysql } from "../../src/store/mysql/migrate.ts";
import { MysqlPool } from "../../src/store/mysql/pool.ts";
import { MysqlSecrets } from "../../src/store/mysql/secrets.ts";
import { FORMAT_ENTRY } from "../../src/store/redis/secret_scripts.ts";
import { TooManyUnsettled } from "../../src/store/mysql/unsettled.ts";
import { CacheClient, expectUnavailable, refusal } from "../support/client/client.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { startService } from "../support/service/service.ts";
import { serversProfile } from "../support/service/profile.ts";
import { StallingMariadb } from "../support/mysql/stalled_commits.ts";
import { waitFor } from "../support/wait_for.ts";

const SIGNAL = new AbortController().signal;
const [A, B, C] = ["a", "b", "c"].map(secretCacheKey) as [CacheKey, CacheKey, CacheKey];
const CHANGE = { name: "old", description: "", expires: 0, newSecretKey: "k", atMs: 0 };

/** The longest that a replica may serve the old secret once the database shows a stalled change. */
const SEEN_WITHIN_MS = 2_000;

/** If a fill of Redis stays for this long, every writer takes the key as settled. */
const UNTOUCHED_MS = 2_500;

async function open(maxConnections: number) {
  await using resources = new AsyncDisposableStack();
  const database = resources.use(await StallingMariadb.start());
  const config = { ...database.server.config(), queryTimeoutMs: 300, maxConnections };
  await migrateMysql(config, systemClock, SIGNAL);
  const pool = resources.use(new MysqlPool(config, systemClock));
  const secrets = new MysqlSecrets(pool, config);
  const owned = resources.move();
  return { database, pool, secrets, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function failed(change: Promise<unknown>): Promise<ServiceError> {
  return await assertRejects(() => change, ServiceError);
}

testWithServers(
  ["mysql"],
  "MysqlSecrets reports when a change without an answer can no longer take effect, and reads go on",
  async () => {
    await using opened = await open(4);
    const { database, secrets } = opened;
    await secrets.write(A, CHANGE, SIGNAL);
    await secrets.write(B, CHANGE, SIGNAL);
    await database.stall();
    const errors = await Promise.all([
      failed(secrets.write(A, { ...CHANGE, name: "new" }, SIGNAL)),
      failed(secrets.remove(B, SIGNAL)),
      failed(secrets.write(C, CHANGE, SIGNAL, { epoch: undefined })),
    ]);
    let settled = 0;
    for (const error of errors) error.settled!.then(() => settled++);
    assertEquals(await database.stalled(), 3);
    for (let round = 0; round < 20; round++) {
      const found = await Promise.all([A, B, C].map((key) => secrets.read(key, SIGNAL)));
      assertEquals(found.map((entry) => entry?.value.name), ["old", "old", undefined]);
      await new Promise((resolve) => systemClock.setTimer(() => resolve(undefined), 50));
    }
    assertEquals(settled, 0);

    await database.release();
    await waitFor(() => settled === 3, { what: "the changes to be settled", timeoutMs: SEEN_WITHIN_MS });
    const found = await Promise.all([A, B, C].map((key) => secrets.read(key, SIGNAL)));
    assertEquals(found.map((entry) => entry?.value.name), ["new", undefined, "old"]);
  },
);

testWithServers(
  ["mysql"],
  "MysqlPool refuses further changes at once while unsettled changes occupy all its connections",
  async () => {
    await using opened = await open(2);
    const { database, secrets } = opened;
    await database.stall();
    // One after the other: together they would share a connection.
    for (const key of [A, B]) await failed(secrets.write(key, CHANGE, SIGNAL));
    for (let round = 0; round < 10; round++) {
      const error = await failed(secrets.write(C, CHANGE, SIGNAL));
      assert(error.cause instanceof TooManyUnsettled, error.message);
      assertEquals(error.settled, undefined);
    }
    assertEquals(await database.stalled(), 2);
    await database.release();
    await waitFor(() => secrets.write(C, CHANGE, SIGNAL).then(() => true, () => false), {
      what: "changes to be accepted again",
    });
    assertEquals((await secrets.read(A, SIGNAL))?.value.name, "old");
  },
);

testWithServers(
  ["mysql"],
  "MysqlSecrets counts a change as settled once the killed server answers again",
  async () => {
    await using opened = await open(2);
    const { database, secrets } = opened;
    await secrets.write(A, CHANGE, SIGNAL);
    await database.stall();
    const { settled } = await failed(secrets.remove(A, SIGNAL));
    await database.server.stop();
    await database.server.start();
    await settled;
    // Recovery has committed the transaction or rolled it back.
    const found = await secrets.read(A, SIGNAL);
    assertEquals(await secrets.read(A, SIGNAL), found);
  },
);

testWithServers(
  ["mysql"],
  "MysqlSecrets leaves no change unsettled when the server refuses it",
  async () => {
    await using opened = await open(2);
    const error = await failed(opened.secrets.write(A, { ...CHANGE, name: "n".repeat(300) }, SIGNAL));
    assertEquals(error.settled, undefined);
  },
);

testWithServers(
  ["redis", "mysql"],
  "a commit that stalls for longer than a tombstone lasts leaves no old secret on any replica",
  async ({ redis }) => {
    await using database = await StallingMariadb.start();
    await using profile = await serversProfile({ redis, mysql: database.server });
    const settings = { "data.database.query_timeout": "500ms" };
    await using first = await startService(profile, settings);
    await using second = await startService(profile, settings);
    using writer = new CacheClient(first.address);
    using reader = new CacheClient(second.address);
    for (const key of ["changed", "deleted", "other"]) await writer.setSecret({ key, name: "old" });

    await database.stall();
    await Promise.all([
      expectUnavailable(writer.setSecret({ key: "changed", name: "new" }), "database"),
      expectUnavailable(writer.deleteSecret({ key: "deleted" }), "database"),
    ]);
    // Simulates a minute: Redis drops the tombstones, and readers fill it with what the database still has, until no
    // replica writes a tombstone by itself.
    const heldSinceMs = new Map(["changed", "deleted"].map((key) => [key, Infinity]));
    await waitFor(async () => {
      for (const [key, sinceMs] of heldSinceMs) {
        const isEntry = (await profile.redis.get(`secret:${key}`))?.[0] === FORMAT_ENTRY;
        if (!isEntry) await profile.redis.delete(`secret:${key}`);
        heldSinceMs.set(key, isEntry ? Math.min(sinceMs, performance.now()) : Infinity);
        assertEquals((await reader.getSecret({ key })).name, "old");
      }
      for (const client of [reader, writer]) {
        assertEquals((await client.getSecret({ key: "other" })).name, "old");
      }
      return Math.max(...heldSinceMs.values()) < performance.now() - UNTOUCHED_MS;
    }, { what: "Redis to hold the old secrets" });
    await database.release();
    const isSeen = async (client: CacheClient) =>
      (await client.getSecret({ key: "changed" })).name === "new" &&
      await client.getSecret({ key: "deleted" }).then(() => false, () => true);
    await waitFor(async () => await isSeen(reader) && await isSeen(writer), {
      what: "both replicas to serve the secret in the database",
      timeoutMs: SEEN_WITHIN_MS,
    });
    for (let round = 0; round < 10; round++) {
      for (const client of [reader, writer]) {
        assertEquals((await client.getSecret({ key: "changed" })).name, "new");
        assertEquals((await refusal(client.getSecret({ key: "deleted" }))).reason, "SECRET_NOT_FOUND");
      }
    }
    assertEquals([...first.errors, ...second.errors], []);
  },
);
