/** The number of statements of a secret's change: each is a round trip, and each commit flushes the server's log. */
import { assert, assertEquals } from "@std/assert";
import { systemClock } from "../../src/core/clock.ts";
import { secretCacheKey } from "../../src/core/key.ts";
import { migrateMysql } from "../../src/store/mysql/migrate.ts";
import { MysqlPool } from "../../src/store/mysql/pool.ts";
import { MysqlSecrets } from "../../src/store/mysql/secrets.ts";
import { startMariadb } from "../support/mysql/mariadb.ts";
import { TestDatabase } from "../support/mysql/database.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { waitFor } from "../support/wait_for.ts";

const SIGNAL = new AbortController().signal;
const CHANGE = { name: "n", description: "", expires: 0, newSecretKey: "k", atMs: 0 };
const EPOCH = "x".repeat(16);
const CHANGES = 20;

testWithServers(
  ["mysql"],
  "MysqlSecrets changes a secret by one statement outside a transaction, and by one more on MySQL",
  async () => {
    await using server = await startMariadb();
    const config = { ...server.config(), maxConnections: 1 };
    await migrateMysql(config, systemClock, SIGNAL);
    await using pool = new MysqlPool(config, systemClock);
    await pool.use(
      (session) => session.command(`INSERT INTO usercenter_secret_epoch (id, epoch) VALUES (1, '${EPOCH}')`),
      SIGNAL,
    );
    await using other = new MysqlPool(config, systemClock);
    const counted = async () => {
      const rows = await other.use((session) => {
        return session.rows<{ readonly Variable_name: string; readonly Value: string }>(
          "SHOW GLOBAL STATUS WHERE Variable_name IN ('Com_begin', 'Com_commit', 'Com_insert', 'Com_update', 'Com_delete', 'Com_select')",
        );
      }, SIGNAL);
      return Object.fromEntries(
        rows.map((row) => [row.Variable_name.slice("Com_".length), Number(row.Value)]),
      );
    };
    // MySQL needs one more statement: it tries to update a row before it inserts one.
    for (const [returning, more] of [[true, 0], [false, 1]] as const) {
      const secrets = new MysqlSecrets(pool, { ...config, returning });
      const key = (index: number) => secretCacheKey(`${returning}-${index}`);
      const spent = async (change: (index: number) => Promise<unknown>) => {
        const before = await counted();
        for (let index = 0; index < CHANGES; index++) await change(index);
        const after = await counted();
        return Object.fromEntries(
          Object.keys(after).map((name) => [name, (after[name]! - before[name]!) / CHANGES]),
        );
      };
      const nothing = { begin: 0, commit: 0, insert: 0, update: 0, delete: 0, select: more };
      const write = (index: number) => secrets.write(key(index), CHANGE, SIGNAL, { epoch: EPOCH });
      assertEquals(await spent(write), { ...nothing, insert: 1, update: more }, "a new key");
      assertEquals(await spent(write), { ...nothing, insert: 1 - more, update: more }, "an existing key");
      const remove = (index: number) => secrets.remove(key(index), SIGNAL, { epoch: EPOCH });
      assertEquals(await spent(remove), { ...nothing, delete: 1 });
      assertEquals(
        await spent(remove),
        { ...nothing, delete: 1, select: 1 },
        "a key that is not there",
      );
    }
  },
);

testWithServers(
  ["mysql"],
  "MysqlSecrets creates a secret at once even if the next key in order is locked",
  async ({ mysql }) => {
    await using database = new TestDatabase(mysql);
    const config = { ...database.config, queryTimeoutMs: 20_000 };
    await migrateMysql(config, systemClock, SIGNAL);
    await using pool = new MysqlPool(config, systemClock);
    await using other = new MysqlPool(config, systemClock);
    for (const returning of [true, false]) {
      const secrets = new MysqlSecrets(pool, { ...config, returning });
      const locked = `${returning} of`;
      const write = (key: string, announcement?: { epoch: undefined }) =>
        secrets.write(secretCacheKey(key), CHANGE, SIGNAL, announcement);
      await write(locked);
      const waiting: Promise<unknown>[] = [];
      await other.use(async (session) => {
        await session.command("START TRANSACTION");
        await session.rows("SELECT id FROM usercenter_secret WHERE secretID = ? FOR UPDATE", [locked]);
        // This includes a change that a transaction also records in the outbox.
        waiting.push(write(locked), write(locked, { epoch: undefined }));
        await waitFor(async () => await lockWaits(other) === 2, {
          what: "two writes to wait for the row",
          // The server refreshes its view of locks only if it has not been read for 100 ms.
          intervalMs: 150,
        });
        const startMs = performance.now();
        await write(`${returning} new`);
        assert(performance.now() - startMs < 2_000, "a new secret waits for the lock of another one");
        await session.command("ROLLBACK");
      }, SIGNAL);
      await Promise.all(waiting);
      assertEquals((await secrets.read(secretCacheKey(locked), SIGNAL))?.version.revision, 3);
    }
  },
);

async function lockWaits(pool: MysqlPool): Promise<number> {
  const [row] = await pool.use((session) => {
    return session.rows<{ readonly waits: string }>(
      "SELECT COUNT(*) AS waits FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'",
    );
  }, SIGNAL);
  return Number(row!.waits);
}
