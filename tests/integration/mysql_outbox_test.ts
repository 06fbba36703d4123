import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { systemClock } from "../../src/core/clock.ts";
import { ServiceError } from "../../src/core/errors.ts";
import { secretCacheKey } from "../../src/core/key.ts";
import { ANY_EPOCH } from "../../src/core/ports.ts";
import { LAST_REVISION } from "../../src/core/version.ts";
import { checkMysqlSchema, migrateMysql } from "../../src/store/mysql/migrate.ts";
import { MysqlOutbox } from "../../src/store/mysql/outbox.ts";
import { MysqlPool } from "../../src/store/mysql/pool.ts";
import { MysqlSecrets } from "../../src/store/mysql/secrets.ts";
import { TestDatabase } from "../support/mysql/database.ts";
import { type MysqlAddress, testWithServers } from "../support/servers/servers.ts";

const SIGNAL = new AbortController().signal;
const KEY = secretCacheKey("Alice ");
const CHANGE = { name: "n", description: "", expires: 0, newSecretKey: "k", atMs: 1_749_988_800_000 };

async function open(server: MysqlAddress) {
  await using resources = new AsyncDisposableStack();
  const database = resources.use(new TestDatabase(server));
  await migrateMysql(database.config, systemClock, SIGNAL);
  const pool = resources.use(new MysqlPool(database.config, systemClock));
  const secrets = new MysqlSecrets(pool, database.config);
  const owned = resources.move();
  return {
    database,
    pool,
    secrets,
    outbox: new MysqlOutbox(pool, database.config),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

testWithServers(
  ["mysql"],
  "MysqlSecrets.remove() of a missing row resolves to the version that the outbox still has for it",
  async ({ mysql }) => {
    await using opened = await open(mysql);
    const { outbox, secrets } = opened;
    const { version } = await secrets.write(KEY, CHANGE, SIGNAL, { epoch: undefined });
    await secrets.write(KEY, CHANGE, SIGNAL, { epoch: undefined });
    await secrets.write(KEY, CHANGE, SIGNAL);
    const end = { id: version.id, revision: LAST_REVISION };
    assertEquals(await secrets.remove(KEY, SIGNAL, { epoch: undefined }), end);
    // No row is left. Until the shared tier has a tombstone, others must learn the version above it.
    assertEquals(await secrets.remove(KEY, SIGNAL, { epoch: undefined }), end);
    assertEquals(await secrets.remove(KEY, SIGNAL), end);
    await outbox.clear(await outbox.pending(10, SIGNAL), ANY_EPOCH, SIGNAL);
    assertEquals(await secrets.remove(KEY, SIGNAL), undefined);
    assertEquals(await secrets.read(KEY, SIGNAL), undefined);
  },
);

testWithServers(
  ["mysql"],
  "MysqlOutbox.pending() names each change with its version",
  async ({ mysql }) => {
    await using opened = await open(mysql);
    const { outbox, secrets } = opened;
    await secrets.remove(KEY, SIGNAL, { epoch: undefined });
    const { version } = await secrets.write(KEY, CHANGE, SIGNAL, { epoch: undefined });
    await secrets.write(KEY, CHANGE, SIGNAL, { epoch: undefined });
    await secrets.remove(KEY, SIGNAL, { epoch: undefined });
    const records = await outbox.pending(10, SIGNAL);
    assertEquals(records.map((record) => [record.key, record.version.id, record.version.revision]), [
      [KEY, 0, 0],
      [KEY, version.id, 1],
      [KEY, version.id, 2],
      [KEY, version.id, LAST_REVISION],
    ]);
  },
);

testWithServers(
  ["mysql"],
  "MysqlOutbox.pending() has the oldest records, and clear() removes those alone, also when many do",
  async ({ mysql }) => {
    await using opened = await open(mysql);
    const { outbox, secrets } = opened;
    for (let id = 0; id < 5; id++) {
      await secrets.write(secretCacheKey(`k${id}`), CHANGE, SIGNAL, { epoch: undefined });
    }
    const oldest = await outbox.pending(3, SIGNAL);
    assertEquals(oldest.map(({ key }) => key), ["k0", "k1", "k2"].map(secretCacheKey));
    await Promise.all(Array.from({ length: 6 }, async (_, replica) => {
      await secrets.write(secretCacheKey(`new ${replica}`), CHANGE, SIGNAL, { epoch: undefined });
      await outbox.clear(replica % 2 === 0 ? oldest : oldest.toReversed(), ANY_EPOCH, SIGNAL);
    }));
    const left = await outbox.pending(100, SIGNAL);
    assertEquals(left.slice(0, 2).map(({ key }) => key), ["k3", "k4"].map(secretCacheKey));
    assertEquals(left.length, 8);
    await outbox.clear([], ANY_EPOCH, SIGNAL);
    await outbox.clear(left, ANY_EPOCH, SIGNAL);
    assertEquals(await outbox.pending(100, SIGNAL), []);
  },
);

testWithServers(
  ["mysql"],
  "MysqlOutbox changes nothing when the record cannot be made",
  async ({ mysql }) => {
    await using opened = await open(mysql);
    const { database, secrets } = opened;
    const before = await secrets.write(KEY, CHANGE, SIGNAL);
    await database.run("DROP TABLE usercenter_secret_outbox");
    await assertRejects(
      () => secrets.write(KEY, { ...CHANGE, name: "new" }, SIGNAL, { epoch: undefined }),
      ServiceError,
    );
    await assertRejects(() => secrets.remove(KEY, SIGNAL, { epoch: undefined }), ServiceError);
    assertEquals(await secrets.read(KEY, SIGNAL), before);
  },
);

testWithServers(
  ["mysql"],
  "checkMysqlSchema() and migrateMysql() mind the outbox too",
  async ({ mysql }) => {
    await using opened = await open(mysql);
    const { database, pool } = opened;
    const check = async () => await checkMysqlSchema(pool, "usercenter_secret", SIGNAL) ?? "";
    const migrate = () => migrateMysql(database.config, systemClock, SIGNAL);
    assertEquals(await check(), "");
    await database.run("DROP TABLE usercenter_secret_outbox");
    assertStringIncludes(
      await check(),
      "Table usercenter_secret_outbox is missing: run `cacheserver migrate`",
    );
    assertEquals(await migrate(), ["Created table usercenter_secret_outbox."]);
    assertEquals(await migrate(), []);

    await database.run("ALTER TABLE usercenter_secret_outbox ENGINE=MyISAM");
    assertStringIncludes(await check(), "its engine is MyISAM");
    await database.run("ALTER TABLE usercenter_secret_outbox DROP COLUMN revision");
    assertStringIncludes(await check(), "it has no column revision, so it is no outbox");
    await assertRejects(migrate, ServiceError, "Cannot use table usercenter_secret_outbox");
  },
);
