import { assert, assertEquals, assertRejects } from "@std/assert";
import { systemClock } from "../../src/core/clock.ts";
import { ServiceError } from "../../src/core/errors.ts";
import { secretCacheKey } from "../../src/core/key.ts";
import type { SecretChange } from "../../src/core/secret.ts";
import { migrateMysql } from "../../src/store/mysql/migrate.ts";
import { MysqlPool, type MysqlPoolOptions } from "../../src/store/mysql/pool.ts";
import { MysqlSecrets } from "../../src/store/mysql/secrets.ts";
import { startMariadb } from "../support/mysql/mariadb.ts";
import { TestDatabase } from "../support/mysql/database.ts";
import { type MysqlAddress, testWithServers } from "../support/servers/servers.ts";
import { waitFor } from "../support/wait_for.ts";

const SIGNAL = new AbortController().signal;
const KEY = secretCacheKey("alice");
const CHANGE: SecretChange = { name: "n", description: "", expires: 0, newSecretKey: "k", atMs: 0 };

/** A migrated database of the test's own, and what is asked of it. */
class OpenDatabase extends TestDatabase {
  readonly pool: MysqlPool;

  private constructor(server: MysqlAddress, options: Partial<MysqlPoolOptions>) {
    super(server);
    this.pool = new MysqlPool({ ...this.config, ...options }, systemClock);
  }

  static async open(server: MysqlAddress, options: Partial<MysqlPoolOptions> = {}): Promise<OpenDatabase> {
    const database = new OpenDatabase(server, options);
    await migrateMysql(database.config, systemClock, SIGNAL);
    return database;
  }

  secrets(location = "UTC"): MysqlSecrets {
    return new MysqlSecrets(this.pool, { table: this.config.table, location });
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.pool[Symbol.asyncDispose]();
    await super[Symbol.asyncDispose]();
  }
}

async function rejectsWithin(limitMs: number, use: () => Promise<unknown>): Promise<ServiceError> {
  const startMs = performance.now();
  const error = await assertRejects(use, ServiceError);
  const tookMs = performance.now() - startMs;
  assert(tookMs < limitMs, `rejected after ${tookMs} ms, expected less than ${limitMs}`);
  assertEquals([error.code, error.tier], ["store_unavailable", "database"]);
  return error;
}

testWithServers(
  ["mysql"],
  "MysqlPool outlives a server that freezes, and none waits past the time-outs",
  async () => {
    await using server = await startMariadb();
    await using database = await OpenDatabase.open(server, {
      queryTimeoutMs: 200,
      connectTimeoutMs: 200,
      maxConnections: 2,
    });
    const secrets = database.secrets();
    await secrets.write(KEY, CHANGE, SIGNAL);

    server.pause();
    try {
      // An open connection that does not answer, then new ones that do not come about.
      await rejectsWithin(1_000, () => secrets.read(KEY, SIGNAL));
      const write = () => secrets.write(KEY, { ...CHANGE, name: "while frozen" }, SIGNAL);
      assertEquals((await rejectsWithin(1_000, write)).hadNoEffect, true, "it was never sent");
      await Promise.all(
        Array.from({ length: 20 }, () => rejectsWithin(1_000, () => secrets.read(KEY, SIGNAL))),
      );
    } finally {
      server.resume();
    }
    const entry = await waitFor(() => secrets.read(KEY, SIGNAL), { what: "the server to answer again" });
    assertEquals([entry.value.name, entry.value.secretKey], ["n", "k"]);
  },
);

testWithServers(["mysql"], "MysqlPool closes within the time-out though the server is frozen", async () => {
  await using server = await startMariadb();
  const pool = new MysqlPool({ ...server.config(""), queryTimeoutMs: 200 }, systemClock);
  await pool.use((session) => session.rows("SELECT 1"), SIGNAL);
  server.pause();
  try {
    const startMs = performance.now();
    await pool[Symbol.asyncDispose]();
    assert(performance.now() - startMs < 1_000);
  } finally {
    server.resume();
  }
});

testWithServers(["mysql"], "MysqlPool connects by a Unix socket", async () => {
  await using server = await startMariadb();
  await using pool = new MysqlPool(
    { ...server.config("mysql"), address: { kind: "unix", path: server.socket }, user: "root", password: "" },
    systemClock,
  );
  assertEquals(await pool.use((session) => session.rows("SELECT 1 AS one"), SIGNAL), [{ one: 1 }]);
});

testWithServers(
  ["mysql"],
  "MysqlPool opens a new connection when the server has closed the old one",
  async ({ mysql }) => {
    await using database = await OpenDatabase.open(mysql, { maxConnections: 1 });
    const id = () => {
      return database.pool.use(async (session) => {
        const [row] = await session.rows<{ readonly id: string }>("SELECT CONNECTION_ID() AS id");
        return row!.id;
      }, SIGNAL);
    };
    const first = await id();
    assertEquals(await id(), first, "an idle connection is used again");
    await database.run(`KILL ${first}`);
    const second = await waitFor(id, { what: "a new connection" });
    assert(second !== first);
  },
);

testWithServers(
  ["mysql"],
  "MysqlPool bounds the wait for a connection like a statement",
  async ({ mysql }) => {
    await using database = await OpenDatabase.open(mysql, { maxConnections: 1, queryTimeoutMs: 300 });
    const held = Promise.withResolvers<void>();
    const holder = database.pool.use(() => held.promise, SIGNAL);
    await rejectsWithin(1_500, () => database.secrets().read(KEY, SIGNAL));
    held.resolve();
    await holder;
    assertEquals(await database.secrets().read(KEY, SIGNAL), undefined);
  },
);

testWithServers(
  ["mysql"],
  "MysqlPool rejects at once when the caller goes, and serves the next one",
  async ({ mysql }) => {
    await using database = await OpenDatabase.open(mysql, { maxConnections: 1 });
    const caller = new AbortController();
    const asked = database.pool.use(async (session) => {
      caller.abort();
      await session.rows("SELECT 1");
    }, caller.signal);
    const error = await assertRejects(() => asked, ServiceError, "the caller stopped waiting");
    assert(error.cause instanceof DOMException);
    assertEquals(await database.secrets().read(KEY, SIGNAL), undefined);
  },
);

testWithServers(
  ["mysql"],
  "MysqlSecrets writes nothing for a caller that goes before it has a connection",
  async ({ mysql }) => {
    await using database = await OpenDatabase.open(mysql, { maxConnections: 1 });
    const secrets = database.secrets();
    const caller = new AbortController();
    const held = Promise.withResolvers<void>();
    const holder = database.pool.use(() => held.promise, SIGNAL);
    const writing = assertRejects(() => secrets.write(KEY, CHANGE, caller.signal), ServiceError);
    caller.abort();
    held.resolve();
    await Promise.all([holder, writing]);
    await secrets.ping(SIGNAL);
    assertEquals(await database.rows("SELECT 1 FROM usercenter_secret"), []);
  },
);

testWithServers(
  ["mysql"],
  "MysqlSecrets gives up on a row that another session keeps locked",
  async ({ mysql }) => {
    await using database = await OpenDatabase.open(mysql, { queryTimeoutMs: 1_500 });
    await database.secrets().write(KEY, CHANGE, SIGNAL);
    await using other = new MysqlPool(database.config, systemClock);
    await other.use(async (session) => {
      await session.command("START TRANSACTION");
      await session.rows("SELECT id FROM usercenter_secret FOR UPDATE");
      const error = await rejectsWithin(3_000, () => database.secrets().remove(KEY, SIGNAL));
      assertEquals(error.message, "Cannot use the database: other changes of the same row take too long");
      const writing = () => database.secrets().write(KEY, { ...CHANGE, name: "other" }, SIGNAL);
      const errors = [error, await rejectsWithin(3_000, writing)];
      assertEquals(errors.map(({ hadNoEffect }) => hadNoEffect), [true, true]);
      assertEquals((await database.secrets().read(KEY, SIGNAL))?.value.secretKey, "k", "readers do not wait");
      await session.command("ROLLBACK");
    }, SIGNAL);
    assertEquals((await database.secrets().read(KEY, SIGNAL))?.value.name, "n");
    assert(await database.secrets().remove(KEY, SIGNAL) !== undefined);
  },
);

testWithServers(["mysql"], "MysqlSecrets reads and writes times in the table's zone", async ({ mysql }) => {
  await using database = await OpenDatabase.open(mysql);
  const atMs = Date.UTC(2025, 5, 15, 12, 0, 0);
  const { value } = await database.secrets("Asia/Kathmandu").write(KEY, { ...CHANGE, atMs }, SIGNAL);
  assertEquals([value.createdAtMs, value.updatedAtMs], [atMs, atMs]);
  const rows = await database.rows("SELECT createdAt, updatedAt FROM usercenter_secret");
  assertEquals(rows, [{ createdAt: "2025-06-15 17:45:00", updatedAt: "2025-06-15 17:45:00" }]);
});

testWithServers(["mysql"], "MysqlSecrets refuses a number that would be rounded", async ({ mysql }) => {
  await using database = await OpenDatabase.open(mysql);
  await database.run(
    "INSERT INTO usercenter_secret (secretID, secretKey, expires) VALUES ('alice', 'k', 9007199254740993)",
  );
  const error = await assertRejects(
    () => database.secrets().read(KEY, SIGNAL),
    ServiceError,
    "its expires is 9007199254740993, expected at most 9007199254740991",
  );
  assertEquals(error.code, "internal");
});

testWithServers(["mysql"], "MysqlSecrets reads rows whose optional columns are NULL", async ({ mysql }) => {
  await using database = await OpenDatabase.open(mysql);
  await database.run(
    `ALTER TABLE usercenter_secret MODIFY userID varchar(253) NULL, MODIFY description varchar(256) NULL,
       MODIFY createdAt datetime NULL, MODIFY expires bigint NULL`,
  );
  await database.run(
    `INSERT INTO usercenter_secret (secretID, secretKey, userID, description, createdAt, expires)
     VALUES ('alice', 'k', NULL, NULL, NULL, NULL)`,
  );
  const entry = await database.secrets().read(KEY, SIGNAL);
  assertEquals(
    [entry?.value.userId, entry?.value.description, entry?.value.createdAtMs, entry?.expiresAtMs],
    ["", "", 0, Infinity],
  );
});

testWithServers(["mysql"], "MysqlSecrets says in neutral words what is wrong", async ({ mysql }) => {
  await using database = await OpenDatabase.open(mysql);
  await database.run("ALTER TABLE usercenter_secret DROP COLUMN version");
  const read = () => database.secrets().read(KEY, SIGNAL);
  const notUpgraded = await assertRejects(read, ServiceError);
  assertEquals(
    notUpgraded.message,
    "Cannot use the database: its table is not upgraded, run `cacheserver migrate`",
  );
  assert(notUpgraded.cause instanceof Error);

  await database.run("DROP TABLE usercenter_secret");
  const missing = await assertRejects(read, ServiceError);
  assertEquals(missing.message, "Cannot use the database: its table is missing, run `cacheserver migrate`");

  await using stranger = new MysqlPool({ ...database.config, password: "wrong-password" }, systemClock);
  const denied = await assertRejects(
    () => new MysqlSecrets(stranger, database.config).ping(SIGNAL),
    ServiceError,
  );
  assertEquals(denied.message, "Cannot use the database: it refuses the account");
});

testWithServers(
  ["mysql"],
  "MysqlPool with tls `preferred` does without where the server offers none",
  async () => {
    await using server = await startMariadb();
    await using preferred = new MysqlPool({ ...server.config(""), tls: "preferred" }, systemClock);
    const rows = await Promise.all(
      [1, 2, 3].map(() => preferred.use((session) => session.rows("SELECT 1 AS one"), SIGNAL)),
    );
    assertEquals(rows, [[{ one: 1 }], [{ one: 1 }], [{ one: 1 }]]);
    for (const tls of ["on", "skip-verify"] as const) {
      await using pool = new MysqlPool({ ...server.config(""), tls }, systemClock);
      await assertRejects(() => pool.use((session) => session.rows("SELECT 1"), SIGNAL), ServiceError);
    }
  },
);
