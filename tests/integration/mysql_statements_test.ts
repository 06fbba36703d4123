/** How many statements a change of a secret takes: each is a round trip, and each commit flushes the server's log. */
import { assertEquals } from "@std/assert";
import { systemClock } from "../../src/core/clock.ts";
import { secretCacheKey } from "../../src/core/key.ts";
import { migrateMysql } from "../../src/store/mysql_migrate.ts";
import { MysqlPool } from "../../src/store/mysql_pool.ts";
import { MysqlSecrets } from "../../src/store/mysql_secrets.ts";
import { startMariadb } from "../support/mariadb.ts";
import { testWithServers } from "../support/servers.ts";

const SIGNAL = new AbortController().signal;
const CHANGE = { name: "n", description: "", expires: 0, newSecretKey: "k", atMs: 0 };
const EPOCH = "x".repeat(16);
const CHANGES = 20;

testWithServers(
  ["mysql"],
  "MysqlSecrets changes a secret by one statement without a transaction around it, and MySQL is asked once more",
  async () => {
    await using server = await startMariadb();
    const config = { ...server.config(), maxConnections: 1 };
    await migrateMysql(config, systemClock, SIGNAL);
    await using pool = new MysqlPool(config, systemClock);
    await pool.use(
      (session) =>
        session.command(`INSERT INTO usercenter_secret_epoch (id, incarnation) VALUES (1, '${EPOCH}')`),
      SIGNAL,
    );
    await using other = new MysqlPool(config, systemClock);
    const counted = async () => {
      const rows = await other.use((session) => {
        return session.rows<{ readonly Variable_name: string; readonly Value: string }>(
          "SHOW GLOBAL STATUS WHERE Variable_name IN ('Com_begin', 'Com_commit', 'Com_insert', 'Com_delete', 'Com_select')",
        );
      }, SIGNAL);
      return Object.fromEntries(
        rows.map((row) => [row.Variable_name.slice("Com_".length), Number(row.Value)]),
      );
    };
    for (const [returning, selects] of [[true, 0], [false, 1]] as const) {
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
      const nothing = { begin: 0, commit: 0, insert: 0, delete: 0, select: selects };
      const write = (index: number) => secrets.write(key(index), CHANGE, SIGNAL, { epoch: EPOCH });
      assertEquals(await spent(write), { ...nothing, insert: 1 }, "a new key");
      assertEquals(await spent(write), { ...nothing, insert: 1 }, "an existing key");
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
