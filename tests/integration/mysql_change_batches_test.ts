/** Changes of secrets that wait for a connection at the same time: by one statement, and yet each for itself. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { systemClock } from "../../src/core/clock.ts";
import { secretCacheKey } from "../../src/core/key.ts";
import type { Epoch } from "../../src/core/ports.ts";
import { migrateMysql } from "../../src/store/mysql/migrate.ts";
import { MysqlOutbox } from "../../src/store/mysql/outbox.ts";
import { MysqlPool } from "../../src/store/mysql/pool.ts";
import { MysqlSecrets } from "../../src/store/mysql/secrets.ts";
import { startMariadb } from "../support/mysql/mariadb.ts";
import { testWithServers } from "../support/servers/servers.ts";

const SIGNAL = new AbortController().signal;
const CHANGE = { name: "n", description: "", expires: 0, newSecretKey: "k", atMs: 0 };
const [X, Y] = ["x", "y"].map((letter) => letter.repeat(16)) as [Epoch, Epoch];
const KEYS = Array.from({ length: 20 }, (_, index) => `key ${index}`);

async function open(maxConnections: number) {
  await using resources = new AsyncDisposableStack();
  const server = resources.use(await startMariadb());
  const config = { ...server.config(), maxConnections };
  await migrateMysql(config, systemClock, SIGNAL);
  const pool = resources.use(new MysqlPool(config, systemClock));
  const other = resources.use(new MysqlPool(config, systemClock));
  const secrets = new MysqlSecrets(pool, config);
  const outbox = new MysqlOutbox(pool, config);
  const owned = resources.move();
  return {
    other,
    outbox,
    write: (key: string, epoch: Epoch, name = "n") =>
      secrets.write(secretCacheKey(key), { ...CHANGE, name, newSecretKey: `of ${key}` }, SIGNAL, { epoch }),
    remove: (key: string, epoch: Epoch) => secrets.remove(secretCacheKey(key), SIGNAL, { epoch }),
    read: (key: string) => secrets.read(secretCacheKey(key), SIGNAL),
    /** How many statements that change something, and how many commits of a transaction, the work takes. */
    spent: async (work: () => Promise<unknown>) => {
      const counted = async () => {
        const rows = await other.use((session) => {
          return session.rows<{ readonly Value: string }>(
            "SHOW GLOBAL STATUS WHERE Variable_name IN ('Com_insert', 'Com_delete', 'Com_commit')",
          );
        }, SIGNAL);
        return rows.reduce((sum, { Value }) => sum + Number(Value), 0);
      };
      const before = await counted();
      await work();
      return await counted() - before;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

testWithServers(
  ["mysql"],
  "MysqlSecrets makes changes together that wait for a connection, and gives each its own result",
  async () => {
    await using opened = await open(1);
    const { outbox, write, remove, read, spent } = opened;
    await outbox.enter(X, () => Promise.resolve(true), SIGNAL);
    for (const [revision, name] of [[1, "new"], [2, "old"]] as const) {
      let written: Awaited<ReturnType<typeof write>>[] = [];
      const statements = await spent(async () => {
        written = await Promise.all(KEYS.map((key) => write(key, X, name)));
      });
      assertEquals(statements, 2, "16 and 4 rows");
      for (const [index, key] of KEYS.entries()) {
        assertEquals(written[index]!.value.secretKey, `of ${key}`);
        assertEquals(written[index]!.version.revision, revision);
        assertEquals(await read(key), written[index]);
      }
    }
    const ids = await Promise.all(KEYS.map(async (key) => (await read(key))!.version.id));
    const removed: (number | undefined)[] = [];
    const statements = await spent(async () => {
      const asked = ["none before", ...KEYS.slice(1), "none behind"];
      removed.push(...(await Promise.all(asked.map((key) => remove(key, X)))).map((version) => version?.id));
    });
    assertEquals(statements, 3, "16, 4 and 1 rows");
    assertEquals(removed, [undefined, ...ids.slice(1), undefined]);
    assertEquals(await Promise.all(KEYS.map(async (key) => (await read(key))?.value.name)), [
      "old",
      ...KEYS.slice(1).map(() => undefined),
    ]);
    assertEquals(await outbox.pending(100, SIGNAL), []);
  },
);

testWithServers(
  ["mysql"],
  "MysqlSecrets records each of the changes that were announced together in an epoch that is not in force",
  async () => {
    await using opened = await open(1);
    const { outbox, write, remove, read } = opened;
    for (const epoch of [X, Y]) await outbox.enter(epoch, () => Promise.resolve(true), SIGNAL);
    await Promise.all(KEYS.map((key) => write(key, X)));
    assertEquals((await outbox.pending(100, SIGNAL)).length, KEYS.length);
    assertEquals(
      (await Promise.all(KEYS.map(read))).map((entry) => entry?.version.revision),
      KEYS.map(() => 1),
    );
    await Promise.all(KEYS.map((key) => remove(key, X)));
    assertEquals((await outbox.pending(100, SIGNAL)).length, 2 * KEYS.length);
    assertEquals(await Promise.all(KEYS.map(read)), KEYS.map(() => undefined));
  },
);

testWithServers(
  ["mysql"],
  "MysqlSecrets lets no change wait for the row of another one, nor fail with it",
  async () => {
    await using opened = await open(4);
    const { other, outbox, write, remove, read } = opened;
    await outbox.enter(X, () => Promise.resolve(true), SIGNAL);
    await Promise.all(KEYS.map((key) => write(key, X)));
    const [locked, ...free] = KEYS.slice(0, 8) as [string, ...string[]];
    for (const change of [write, remove]) {
      let waiting: Promise<unknown> | undefined;
      await other.use(async (session) => {
        await session.command("START TRANSACTION");
        await session.rows("SELECT id FROM usercenter_secret WHERE secretID = ? FOR UPDATE", [locked]);
        const startMs = performance.now();
        const all = [...free.slice(0, 3), locked, ...free.slice(3)].map((key) =>
          [key, change(key, X)] as const
        );
        waiting = all.find(([key]) => key === locked)![1];
        await Promise.all(all.filter(([key]) => key !== locked).map(([, made]) => made));
        assert(performance.now() - startMs < 2_000, "a change waits for the row of another one");
        await session.command("ROLLBACK");
      }, SIGNAL);
      await waiting;
      // The locked row has had one change as well, and no other row more than one.
      const revisions = new Set(
        (await Promise.all(KEYS.slice(0, 8).map(read))).map((e) => e?.version.revision),
      );
      assertEquals([...revisions], [change === write ? 2 : undefined]);
    }
    const others = Promise.all(["a", "b", "c"].map((key) => write(key, X)));
    const refused = assertRejects(() => write("too long", X, "n".repeat(300)), Error, "refused the request");
    const last = write("d", X);
    assertEquals((await others).length, 3);
    await refused;
    assertEquals((await last).version.revision, 1);
    assertEquals(await read("too long"), undefined);
  },
);
