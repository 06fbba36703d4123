/** Which epoch of Redis is in force, and which changes are recorded then: with and without RETURNING. */
import { assertEquals, assertNotEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { systemClock } from "../../src/core/clock.ts";
import { ServiceError } from "../../src/core/errors.ts";
import { secretCacheKey } from "../../src/core/key.ts";
import { ANY_EPOCH, type Epoch } from "../../src/core/ports.ts";
import { type MysqlChanges, RereadChanges, ReturningChanges } from "../../src/store/mysql/changes.ts";
import { checkMysqlSchema, migrateMysql } from "../../src/store/mysql/migrate.ts";
import { MysqlOutbox } from "../../src/store/mysql/outbox.ts";
import { MysqlPool } from "../../src/store/mysql/pool.ts";
import { MysqlSecrets } from "../../src/store/mysql/secrets.ts";
import { type MysqlSession, transaction } from "../../src/store/mysql/session.ts";
import { TestDatabase } from "../support/mysql/database.ts";
import { type MysqlAddress, testWithServers } from "../support/servers/servers.ts";
import { waitFor } from "../support/wait_for.ts";

const SIGNAL = new AbortController().signal;
const KEY = secretCacheKey("alice");
const CHANGE = { name: "n", description: "", expires: 0, newSecretKey: "k", atMs: 1_749_988_800_000 };
const [X, Y, Z] = ["x", "y", "z"].map((letter) => letter.repeat(16)) as [Epoch, Epoch, Epoch];
const there = () => Promise.resolve(true);
const TABLES = { secrets: "usercenter_secret", epochs: "usercenter_secret_epoch" };

function changesBy(returning: boolean): MysqlChanges {
  return returning ? new ReturningChanges(TABLES) : new RereadChanges(TABLES);
}

async function open(server: MysqlAddress, returning = true) {
  await using resources = new AsyncDisposableStack();
  const database = resources.use(new TestDatabase(server));
  await migrateMysql(database.config, systemClock, SIGNAL);
  const pool = resources.use(new MysqlPool(database.config, systemClock));
  const outbox = new MysqlOutbox(pool, database.config);
  const owned = resources.move();
  return {
    database,
    pool,
    outbox,
    secrets: new MysqlSecrets(pool, { ...database.config, returning }),
    enter: (epoch: Epoch, confirm = there) => outbox.enter(epoch, confirm, SIGNAL),
    recorded: async () => (await outbox.pending(100, SIGNAL)).map(({ version }) => version.revision),
    /** How many sessions wait for the lock of a row. */
    waiting: async () => {
      const [row] = await database.rows<{ readonly Value: string }>(
        "SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'",
      );
      return Number(row?.Value);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

testWithServers(
  ["mysql"],
  "MysqlOutbox.enter() puts a new epoch into force, and never one again that another has replaced",
  async ({ mysql }) => {
    await using opened = await open(mysql);
    const { enter } = opened;
    for (
      const [epoch, isInForce] of [[X, true], [X, true], [Y, true], [X, false], [Y, true], [Z, true]] as const
    ) {
      assertEquals(await enter(epoch), isInForce, epoch);
    }
    assertEquals([await enter(X), await enter(Y), await enter(Z)], [false, false, true]);
  },
);

testWithServers(
  ["mysql"],
  "MysqlOutbox.enter() by many at once puts each epoch into force in turn, and leaves one",
  async ({ mysql }) => {
    await using opened = await open(mysql);
    const { enter } = opened;
    const epochs = Array.from({ length: 6 }, (_, index) => `epoch-${index}`);
    assertEquals(await Promise.all(epochs.map((epoch) => enter(epoch))), epochs.map(() => true));
    const again: (boolean | undefined)[] = [];
    for (const epoch of epochs) again.push(await enter(epoch));
    assertEquals(again.filter(Boolean).length, 1);
  },
);

testWithServers(
  ["mysql"],
  "MysqlOutbox.enter() changes nothing for an epoch that ends before it comes into force",
  async ({ mysql }) => {
    await using opened = await open(mysql);
    const { enter } = opened;
    await enter(X);
    assertEquals(await enter(Y, () => Promise.resolve(false)), undefined);
    assertEquals([await enter(X), await enter(Y)], [true, true]);
  },
);

for (
  const [name, returning] of [["MysqlSecrets", true], ["MysqlSecrets without RETURNING", false]] as const
) {
  testWithServers(
    ["mysql"],
    `${name} records each change announced in another epoch than the one in force, and no other`,
    async ({ mysql }) => {
      await using opened = await open(mysql, returning);
      const { enter, recorded, secrets } = opened;
      await enter(X);
      const announced = { epoch: X as Epoch | undefined };
      const { version } = await secrets.write(KEY, CHANGE, SIGNAL, announced);
      assertEquals([version.revision, announced.epoch, await recorded()], [1, X, []]);
      const removed = await secrets.remove(KEY, SIGNAL, announced);
      assertEquals([removed?.id, announced.epoch, await recorded()], [version.id, X, []]);
      assertEquals(await secrets.remove(KEY, SIGNAL, announced), undefined);
      assertEquals([announced.epoch, await recorded()], [X, []], "there was nothing to remove");

      await enter(Y);
      const late = { epoch: X as Epoch | undefined };
      const again = await secrets.write(KEY, CHANGE, SIGNAL, late);
      assertEquals([again.version.revision, late.epoch, await recorded()], [1, undefined, [1]]);
      assertEquals((await secrets.read(KEY, SIGNAL))?.version, again.version);
      const lateRemoval = { epoch: X as Epoch | undefined };
      const end = await secrets.remove(KEY, SIGNAL, lateRemoval);
      assertEquals([end?.id, lateRemoval.epoch, (await recorded()).length], [again.version.id, undefined, 2]);
      const lateAbsence = { epoch: X as Epoch | undefined };
      assertEquals(await secrets.remove(KEY, SIGNAL, lateAbsence), end);
      assertEquals([lateAbsence.epoch, (await recorded()).length], [undefined, 3]);
      assertEquals(await secrets.read(KEY, SIGNAL), undefined);
    },
  );

  testWithServers(
    ["mysql"],
    `${name} compares nothing for a server that tells no epochs`,
    async ({ mysql }) => {
      await using opened = await open(mysql, returning);
      const { enter, recorded, secrets } = opened;
      await enter(X);
      for (
        const work of [() => secrets.write(KEY, CHANGE, SIGNAL), () => secrets.remove(KEY, SIGNAL)]
      ) await work();
      const announced = { epoch: ANY_EPOCH as Epoch | undefined };
      await secrets.write(KEY, CHANGE, SIGNAL, announced);
      await secrets.remove(KEY, SIGNAL, announced);
      assertEquals([announced.epoch, await recorded()], [ANY_EPOCH, []]);
    },
  );

  testWithServers(
    ["mysql"],
    `${name} keeps the epoch in force while a change is under way; a change that waits for a new epoch meets it`,
    async ({ mysql }) => {
      await using opened = await open(mysql, returning);
      const { enter, pool, recorded, secrets, waiting } = opened;
      await enter(X);
      // The change has compared epochs and is not committed yet: a new epoch waits for it.
      const changes = changesBy(returning);
      const row = ["alice", "k", "n", "", 0, "2025-06-15", "2025-06-15"] as const;
      for (
        const [change, next] of [
          [(session: MysqlSession) => changes.writeWithin(session, row, X), Y],
          [(session: MysqlSession) => changes.removeWithin(session, "alice", Y), Z],
        ] as const
      ) {
        let hasEntered = false;
        let entering: Promise<unknown> | undefined;
        await pool.use((session) =>
          transaction(session, async () => {
            assertNotEquals(await change(session), undefined);
            entering = enter(next).then(() => hasEntered = true);
            await waitFor(async () => await waiting() === 1, {
              what: "the new epoch to wait for the change",
            });
            assertEquals(hasEntered, false);
          }), SIGNAL);
        await entering;
      }

      // The new epoch is about to come into force: a change waits, and then meets it.
      for (
        const change of [
          (announced: { epoch: Epoch | undefined }) => secrets.write(KEY, CHANGE, SIGNAL, announced),
          (announced: { epoch: Epoch | undefined }) => secrets.remove(KEY, SIGNAL, announced),
        ]
      ) {
        const before = (await recorded()).length;
        const next = `epoch-${before}`;
        await enter(`${next}-before`);
        const announced = { epoch: `${next}-before` as Epoch | undefined };
        let changing: Promise<unknown> | undefined;
        await enter(next, async () => {
          changing = change(announced);
          await waitFor(async () => await waiting() === 1, { what: "the change to wait for the new epoch" });
          return true;
        });
        await changing;
        assertEquals([announced.epoch, (await recorded()).length], [undefined, before + 1]);
      }
    },
  );
}

testWithServers(
  ["mysql"],
  "MysqlSecrets records what is announced before any epoch is in force",
  async ({ mysql }) => {
    await using opened = await open(mysql);
    const announced = { epoch: X as Epoch | undefined };
    await opened.secrets.write(KEY, CHANGE, SIGNAL, announced);
    assertEquals([announced.epoch, await opened.recorded()], [undefined, [1]]);
  },
);

testWithServers(
  ["mysql"],
  "MysqlOutbox.clear() removes no record whose tombstone is in an epoch that is not in force",
  async ({ mysql }) => {
    await using opened = await open(mysql);
    const { enter, outbox, recorded, secrets } = opened;
    await enter(X);
    await secrets.write(KEY, CHANGE, SIGNAL, { epoch: undefined });
    await enter(Y);
    const records = await outbox.pending(10, SIGNAL);
    await outbox.clear(records, X, SIGNAL);
    assertEquals(await recorded(), [1]);
    await outbox.clear(records, Y, SIGNAL);
    assertEquals(await recorded(), []);
  },
);

testWithServers(
  ["mysql"],
  "checkMysqlSchema() and migrateMysql() check and create the table of epochs too",
  async ({ mysql }) => {
    await using opened = await open(mysql);
    const { database, pool } = opened;
    const check = async () => await checkMysqlSchema(pool, "usercenter_secret", SIGNAL) ?? "";
    const migrate = () => migrateMysql(database.config, systemClock, SIGNAL);
    await database.run("DROP TABLE usercenter_secret_epoch");
    assertStringIncludes(
      await check(),
      "Table usercenter_secret_epoch is missing: run `cacheserver migrate`",
    );
    const error = await assertRejects(
      () => opened.secrets.write(KEY, CHANGE, SIGNAL, { epoch: X }),
      ServiceError,
    );
    assertStringIncludes(error.message, "its table is missing");
    assertEquals(await migrate(), ["Created table usercenter_secret_epoch."]);
    assertEquals([await check(), await migrate()], ["", []]);
    await database.run("ALTER TABLE usercenter_secret_epoch ENGINE=MyISAM");
    assertStringIncludes(await check(), "its engine is MyISAM");
    await database.run("ALTER TABLE usercenter_secret_epoch DROP COLUMN epoch");
    await assertRejects(migrate, ServiceError, "it has no column epoch");
  },
);
