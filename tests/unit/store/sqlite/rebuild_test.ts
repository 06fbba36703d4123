import { DatabaseSync } from "node:sqlite";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { systemClock } from "../../../../src/core/clock.ts";
import { ServiceError } from "../../../../src/core/errors.ts";
import { openSqlite } from "../../../../src/store/sqlite/open.ts";
import { SqlitePages } from "../../../../src/store/sqlite/pages.ts";
import { SQLITE_SCHEMA } from "../../../../src/store/sqlite/schema.ts";
import { OPEN } from "../../../support/sqlite/sqlite.ts";

/** A file as an earlier release made it: without the pages that let it shrink. */
async function withEarlierFile(
  test: (path: string, earlier: DatabaseSync) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/cache.db`;
    const earlier = new DatabaseSync(path);
    earlier.exec("PRAGMA journal_mode = WAL");
    for (const step of SQLITE_SCHEMA) earlier.exec(step);
    earlier.exec(`PRAGMA user_version = ${SQLITE_SCHEMA.length}`);
    try {
      await test(path, earlier);
    } finally {
      if (earlier.isOpen) earlier.close();
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function fill(earlier: DatabaseSync): void {
  const entry = earlier.prepare("INSERT INTO entry (key, value, expiresAtMs) VALUES (?, ?, ?)");
  for (let i = 0; i < 350; i++) entry.run(`${i}`, new Uint8Array(5_000).fill(i), i % 2 === 0 ? null : 1);
  const secret = earlier.prepare(
    "INSERT INTO secret (secretId, name, secretKey, expires, description, createdAtMs, updatedAtMs) " +
      "VALUES (?, 'n', 'k', 0, '', 1, 2)",
  );
  for (const id of ["alice", "bob", "carol"]) secret.run(id);
  earlier.exec(
    "UPDATE secret SET version = 7 WHERE secretId = 'alice'; DELETE FROM secret WHERE secretId = 'carol'",
  );
}

Deno.test("openSqlite() rebuilds a small file of an earlier release and keeps all that has not expired", async () => {
  await withEarlierFile(async (path, earlier) => {
    fill(earlier);
    const secrets = earlier.prepare("SELECT * FROM secret").all();
    earlier.close();
    using opened = await openSqlite(path, OPEN);
    const { database } = opened;
    assertEquals([opened.isRebuilt, new SqlitePages(database).canShrink], [true, true]);
    const entries = database.statement<{ key: string; value: Uint8Array }>(
      "SELECT key, value FROM entry ORDER BY rowid",
    );
    const kept = entries.rows();
    assertEquals(kept.map(({ key }) => Number(key)), Array.from({ length: 175 }, (_, i) => 2 * i));
    assert(kept.every(({ key, value }) => value.length === 5_000 && value[0] === Number(key) % 256));
    assertEquals(
      database.statement("SELECT * FROM secret").rows().map((row) => ({ ...row })),
      secrets.map((row) => ({ ...row })),
    );
    // The id of the deleted secret does not come back.
    const [dave] = database.statement<{ id: number }>(
      "INSERT INTO secret (secretId, name, secretKey, expires, description, createdAtMs, updatedAtMs) " +
        "VALUES ('dave', 'n', 'k', 0, '', 1, 2) RETURNING id",
    ).rows();
    assertEquals(dave?.id, 4);
    const names = [...Deno.readDirSync(path.slice(0, path.lastIndexOf("/")))].map(({ name }) => name);
    assertEquals(names.filter((name) => name.includes(".new")), []);
  });
});

Deno.test("openSqlite() leaves a file alone that another program has open, or that can shrink", async () => {
  await withEarlierFile(async (path, earlier) => {
    fill(earlier);
    {
      using opened = await openSqlite(path, OPEN);
      assertEquals([opened.isRebuilt, new SqlitePages(opened.database).canShrink], [false, false]);
    }
    await assertRejects(() => openSqlite(path, { ...OPEN, rebuilds: "any" }), ServiceError, "has");
    earlier.close();
    for (const isRebuilt of [true, false]) {
      using opened = await openSqlite(path, { ...OPEN, clock: systemClock, rebuilds: "any" });
      assertEquals(opened.isRebuilt, isRebuilt);
    }
  });
});
