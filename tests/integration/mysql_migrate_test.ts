import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { MysqlConfig } from "../../src/config/data/database.ts";
import { systemClock } from "../../src/core/clock.ts";
import { ServiceError } from "../../src/core/errors.ts";
import { secretCacheKey } from "../../src/core/key.ts";
import { checkMysqlSchema, migrateMysql } from "../../src/store/mysql/migrate.ts";
import { MysqlPool } from "../../src/store/mysql/pool.ts";
import { MysqlSecrets } from "../../src/store/mysql/secrets.ts";
import { freePort } from "../support/network/free_port.ts";
import { TestDatabase } from "../support/mysql/database.ts";
import { testWithServers } from "../support/servers/servers.ts";

const SIGNAL = new AbortController().signal;

/** The table that onex creates. */
const ONEX_TABLE = `
  CREATE TABLE \`usercenter_secret\` (
    \`id\` bigint(20) unsigned NOT NULL AUTO_INCREMENT COMMENT '主键 ID',
    \`userID\` varchar(253) NOT NULL DEFAULT '' COMMENT '用户 ID',
    \`name\` varchar(253) NOT NULL DEFAULT '' COMMENT '密钥名称',
    \`secretID\` varchar(36) NOT NULL DEFAULT '' COMMENT '密钥 ID, "it''s" one',
    \`secretKey\` varchar(36) NOT NULL DEFAULT '' COMMENT '密钥 Key',
    \`status\` tinyint(3) unsigned NOT NULL DEFAULT 1 COMMENT '0-禁用；1-启用',
    \`expires\` bigint(64) NOT NULL DEFAULT 0 COMMENT '0 永不过期',
    \`description\` varchar(255) NOT NULL DEFAULT '' COMMENT '密钥描述',
    \`createdAt\` datetime NOT NULL DEFAULT current_timestamp() COMMENT '创建时间',
    \`updatedAt\` datetime NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),
    PRIMARY KEY (\`id\`),
    UNIQUE KEY \`uniq.usercenter_secret.secretID\` (\`secretID\`),
    KEY \`idx.usercenter_secret.userID\` (\`userID\`)
  ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci`;

interface ColumnRow {
  readonly name: string;
  readonly type: string;
  readonly collation: string | null;
  readonly comment: string;
}

function columnsOf(database: TestDatabase): Promise<ColumnRow[]> {
  return database.rows<ColumnRow>(
    `SELECT COLUMN_NAME AS name, COLUMN_TYPE AS type, COLLATION_NAME AS collation, COLUMN_COMMENT AS comment
     FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'usercenter_secret'
     ORDER BY ORDINAL_POSITION`,
  );
}

function migrate(config: MysqlConfig): Promise<string[]> {
  return migrateMysql(config, systemClock, SIGNAL);
}

async function check(config: MysqlConfig): Promise<string | undefined> {
  await using pool = new MysqlPool(config, systemClock);
  return await checkMysqlSchema(pool, config.table, SIGNAL);
}

testWithServers(
  ["mysql"],
  "migrateMysql() creates database and table, and then finds nothing to do",
  async ({ mysql }) => {
    await using database = new TestDatabase(mysql);
    assertEquals(await migrate(database.config), [
      `Created database ${database.config.database}.`,
      "Created table usercenter_secret.",
      "Created table usercenter_secret_outbox.",
      "Created table usercenter_secret_epoch.",
    ]);
    const columns = await columnsOf(database);
    assertEquals(await migrate(database.config), []);
    assertEquals(await columnsOf(database), columns);
  },
);

testWithServers(
  ["mysql"],
  "migrateMysql() adopts a table of onex, and every row is served",
  async ({ mysql }) => {
    await using database = new TestDatabase(mysql);
    await database.create();
    await database.run(ONEX_TABLE);
    await database.run(
      `INSERT INTO usercenter_secret
       (userID, name, secretID, secretKey, status, expires, description, createdAt, updatedAt) VALUES
       ('user-1', 'first', 'id-1', 'key-1', 1, 0, '说明 😀', '2024-01-02 03:04:05', '2024-02-03 04:05:06'),
       ('user-2', 'second', 'ID-2', 'key-2', 0, 1700000000, '', '0000-00-00 00:00:00', '2024-02-03 04:05:06')`,
    );
    const done = await migrate(database.config);
    assertEquals(done.length, 6, done.join("\n"));
    assertEquals(await migrate(database.config), []);

    await using pool = new MysqlPool(database.config, systemClock);
    const store = new MysqlSecrets(pool, database.config);
    assertEquals(await store.read(secretCacheKey("id-1"), SIGNAL), {
      value: {
        userId: "user-1",
        name: "first",
        secretId: "id-1",
        secretKey: "key-1",
        status: 1,
        expires: 0,
        description: "说明 😀",
        createdAtMs: Date.UTC(2024, 0, 2, 3, 4, 5),
        updatedAtMs: Date.UTC(2024, 1, 3, 4, 5, 6),
      },
      expiresAtMs: Infinity,
      version: { id: 1, revision: 1 },
    });
    const second = await store.read(secretCacheKey("ID-2"), SIGNAL);
    assertEquals([second?.value.status, second?.value.createdAtMs], [0, 0]);
    assertEquals(second?.expiresAtMs, 1_700_000_000_000);
    assertEquals(await store.read(secretCacheKey("id-2"), SIGNAL), undefined);

    const change = { name: "new", description: "", expires: 0, newSecretKey: "unused", atMs: 0 };
    const updated = await store.write(secretCacheKey("id-1"), change, SIGNAL);
    assertEquals(
      [updated.value.userId, updated.value.secretKey, updated.version.revision],
      ["user-1", "key-1", 2],
    );
  },
);

testWithServers(
  ["mysql"],
  "migrateMysql() narrows and drops no column or key, and keeps comments",
  async ({ mysql }) => {
    await using database = new TestDatabase(mysql);
    await database.create();
    await database.run(ONEX_TABLE);
    await database.run(
      `ALTER TABLE usercenter_secret MODIFY description text COMMENT 'long', MODIFY name varchar(300) NOT NULL,
       ADD COLUMN owner varchar(20) NOT NULL DEFAULT 'nobody', ADD KEY byName (name(10))`,
    );
    const before = await columnsOf(database);
    await migrate(database.config);
    const after = await columnsOf(database);
    const changed = new Map<string, string>([["secretID", "varchar(253)"], ["secretKey", "varchar(512)"]]);
    assertEquals(
      after.slice(0, -1).map(({ name, type, comment }) => ({ name, type, comment })),
      before.map(({ name, type, comment }) => ({ name, type: changed.get(name) ?? type, comment })),
    );
    assertEquals(after.at(-1)?.name, "version");
    const keys = await database.rows("SHOW INDEX FROM usercenter_secret WHERE Key_name = 'byName'");
    assertEquals(keys.length, 1);
  },
);

testWithServers(["mysql"], "migrateMysql() may run twice at once", async ({ mysql }) => {
  await using database = new TestDatabase(mysql);
  await database.create();
  await database.run(ONEX_TABLE);
  const both = await Promise.all([migrate(database.config), migrate(database.config)]);
  assertEquals(both.map((done) => done.length).sort(), [0, 6]);
});

testWithServers(
  ["mysql"],
  "migrateMysql() adds the unique key unless rows share a secretID",
  async ({ mysql }) => {
    await using database = new TestDatabase(mysql);
    await database.create();
    await database.run(ONEX_TABLE);
    await database.run("ALTER TABLE usercenter_secret DROP KEY `uniq.usercenter_secret.secretID`");
    await database.run("INSERT INTO usercenter_secret (secretID) VALUES ('twice'), ('twice'), ('Twice')");
    const before = await columnsOf(database);
    const error = await assertRejects(
      () => migrate(database.config),
      ServiceError,
      "1 secretIDs occur more than once",
    );
    assert(!error.message.includes("\n"));
    assertEquals(await columnsOf(database), before);

    await database.run("DELETE FROM usercenter_secret WHERE id = 2");
    const done = await migrate(database.config);
    assertStringIncludes(done.join(), "Added a unique key on secretID.");
    assertEquals(await migrate(database.config), []);
  },
);

testWithServers(
  ["mysql"],
  "migrateMysql() converts older tables to InnoDB and utf8mb4",
  async ({ mysql }) => {
    await using database = new TestDatabase(mysql);
    await database.create();
    await database.run(
      ONEX_TABLE.replace("InnoDB", "MyISAM").replace("utf8mb4 COLLATE=utf8mb4_general_ci", "latin1"),
    );
    await database.run("INSERT INTO usercenter_secret (secretID, name) VALUES ('é', 'ü')");
    await migrate(database.config);
    assertEquals(await migrate(database.config), []);
    await using pool = new MysqlPool(database.config, systemClock);
    const entry = await new MysqlSecrets(pool, database.config).read(secretCacheKey("é"), SIGNAL);
    assertEquals(entry?.value.name, "ü");
  },
);

testWithServers(
  ["mysql"],
  "migrateMysql() refuses a table that it cannot make safe, with the reason",
  async ({ mysql }) => {
    const cases = [
      ["CREATE TABLE usercenter_secret (x int)", "it has no column id, secretID, secretKey"],
      ["CREATE VIEW usercenter_secret AS SELECT 1 AS id", "it is a VIEW"],
      [
        ONEX_TABLE.replace("PRIMARY KEY (`id`)", "PRIMARY KEY (`id`), UNIQUE KEY other (`name`)"),
        "unique key other",
      ],
      [ONEX_TABLE.replace("PRIMARY KEY", "owner int NOT NULL, PRIMARY KEY"), "column owner has no default"],
      [
        ONEX_TABLE.replace("`secretID` varchar(36) NOT NULL", "`secretID` varchar(36) NULL"),
        "its secretID may be NULL, expected NOT NULL",
      ],
      [
        ONEX_TABLE.replace("PRIMARY KEY", "version varchar(9) DEFAULT '', PRIMARY KEY"),
        "column version is varchar",
      ],
    ] as const;
    for (const [ddl, problem] of cases) {
      await using database = new TestDatabase(mysql);
      await database.create();
      await database.run(ddl);
      await assertRejects(() => migrate(database.config), ServiceError, problem);
      assertStringIncludes(await check(database.config) ?? "", problem);
    }
  },
);

testWithServers(
  ["mysql"],
  "migrateMysql() reports an unreachable server in one line, without the password",
  async ({ mysql }) => {
    await using database = new TestDatabase(mysql);
    const { config } = database;
    const port = freePort();
    const cases: (readonly [MysqlConfig, string])[] = [
      [{ ...config, address: { kind: "tcp", hostname: "127.0.0.1", port } }, `127.0.0.1:${port}`],
      [
        { ...config, address: { kind: "tcp", hostname: "no-such-host.invalid", port } },
        "no-such-host.invalid",
      ],
      [{ ...config, password: "wrong-password" }, "Access denied"],
      [{ ...config, address: { kind: "unix", path: "/no/such/socket" } }, "/no/such/socket"],
    ];
    for (const [broken, named] of cases) {
      const error = await assertRejects(() => migrate(broken), ServiceError, named);
      assertEquals(error.code, "store_unavailable");
      assertStringIncludes(error.message, "data.database.source");
      assert(!error.message.includes("\n") && !error.message.includes(broken.password), error.message);
    }
  },
);

testWithServers(
  ["mysql"],
  "migrateMysql() reports an account that may not create the database",
  async ({ mysql }) => {
    await using database = new TestDatabase(mysql);
    const user = `u${crypto.randomUUID().slice(0, 8)}`;
    await database.create();
    await database.run(`CREATE USER '${user}' IDENTIFIED BY 'pw'`);
    try {
      const config = { ...database.config, user, password: "pw", database: "cacheserver_forbidden" };
      await assertRejects(() => migrate(config), ServiceError, "to database 'cacheserver_forbidden'");
    } finally {
      await database.run(`DROP USER '${user}'`);
    }
  },
);

testWithServers(
  ["mysql"],
  "checkMysqlSchema() reports what is missing until it exists",
  async ({ mysql }) => {
    await using database = new TestDatabase(mysql);
    assertStringIncludes(await check(database.config) ?? "", "is missing: run `cacheserver migrate`");
    await database.create();
    assertEquals(
      await check(database.config),
      "Table usercenter_secret is missing: run `cacheserver migrate`",
    );
    await database.run(ONEX_TABLE);
    assertEquals(
      await check(database.config),
      "Table usercenter_secret is not upgraded: run `cacheserver migrate`",
    );
    await migrate(database.config);
    assertEquals(await check(database.config), undefined);
  },
);
