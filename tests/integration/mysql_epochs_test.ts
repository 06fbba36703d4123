/** The epoch of Redis in force, and how changes check it, with each way to learn what a statement changed. */
import { assertEquals, assertNotEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { systemClock } from "../../src/core/clock.ts";
import { ServiceError } from "../../src/core/errors.ts";
import { secretCacheKey } from "../../src/core/key.ts";
import { ANY_EPOCH, type Epoch } from "../../src/core/ports.ts";
import {
  type MysqlChanges,
  RereadChanges,
  ReturningChanges,
} from "../../src/store/mysql/secret_statements.ts";
import { checkMysqlSchema, migrateMysql } from "../../src/store/mysql/migrate.ts";
import { MysqlSecrets } from "../../src/store/mysql/secrets.ts";
import { type MysqlSession, transaction } from "../../src/store/mysql/session.ts";
import { MigratedDatabase } from "../support/mysql/migrated_database.ts";
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
  const database = await MigratedDatabase.open(server);
  const { outbox, pool } = database;
  return {
    database,
    pool,
    outbox,
    secrets: new MysqlSecrets(pool, { ...database.config, returning }),
    enter: (epoch: Epoch, confirm = there) => outbox.enter(epoch, confirm, SIGNAL),
    recorded: async () => (await outbox.pending(100, SIGNAL)).map(({ version }) => version.revision),
    /** The number of sessions that wait for the lock of a row. */
    waiting: async () => {
      const [row] = await database.rows<{ readonly Value: string }>(
        "SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'",
      );
      return Number(row?.Value);
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

testWithServers(
  ["mysql"],
  "MysqlOutbox.enter() puts a new epoch into force, and never one that was in force before",
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
  "MysqlOutbox.enter() by many at once puts each epoch into force in turn, and leaves one in force",
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
  "MysqlOutbox.enter() changes nothing for an epoch that is over before it can come into force",
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
    `${name} records each change that was announced in another epoch than the one in force, and no other change`,
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
    `${name} compares nothing where epochs are not distinguished`,
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
    `${name} keeps the epoch in force during a change, and sees the next epoch after a wait`,
    async ({ mysql }) => {
      await using opened = await open(mysql, returning);
      const { enter, pool, recorded, secrets, waiting } = opened;
      await enter(X);
      // A change has compared its epoch and is not committed yet: a new epoch has to wait for it.
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

      // An epoch is about to come into force: a change has to wait, and then sees it.
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
  "MysqlSecrets records changes that are announced before any epoch is in force",
  async ({ mysql }) => {
    await using opened = await open(mysql);
    const announced = { epoch: X as Epoch | undefined };
    await opened.secrets.write(KEY, CHANGE, SIGNAL, announced);
    assertEquals([announced.epoch, await opened.recorded()], [undefined, [1]]);
  },
);

testWithServers(
  ["mysql"],
  "MysqlOutbox.clear() keeps records whose tombstone is in an epoch that is not in force",
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
  "checkMysqlSchema() and migrateMysql() cover the table of epochs",
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
