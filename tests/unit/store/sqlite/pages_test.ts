import { assert, assertEquals } from "@std/assert";
import { SqliteDatabase } from "../../../../src/store/sqlite/database.ts";
import { SqlitePages } from "../../../../src/store/sqlite/pages.ts";

const ROW_BYTES = 100_000;

/** Opens a file with 100 rows. */
async function withRows(
  test: (database: SqliteDatabase, pages: SqlitePages, path: string) => void,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/cache.db`;
    using database = new SqliteDatabase(path);
    const insert = database.statement("INSERT INTO entry (key, value) VALUES (?, ?)");
    for (let i = 0; i < 100; i++) insert.run(`${i}`, new Uint8Array(ROW_BYTES));
    test(database, new SqlitePages(database), path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function shrinkWholly(pages: SqlitePages, maxPages = Infinity): void {
  while (pages.shrink(maxPages));
}

Deno.test("SqlitePages.shrink() gives back what many deleted rows had, and keeps what is in use", async () => {
  await withRows((database, pages, path) => {
    assert(Deno.statSync(path).size > 90 * ROW_BYTES);
    database.statement("DELETE FROM entry WHERE key <> '50'").run();
    shrinkWholly(pages);
    assert(Deno.statSync(path).size < 12 * ROW_BYTES, `${Deno.statSync(path).size}`);
    const [row] = database.statement<{ n: number }>("SELECT length(value) AS n FROM entry").rows();
    assertEquals(row?.n, ROW_BYTES);
  });
});

Deno.test("SqlitePages.shrink() leaves a few free pages for the next rows, unless the file is over its limit", async () => {
  await withRows((database, pages) => {
    database.statement("DELETE FROM entry WHERE key < '2'").run();
    const { free, used } = pages;
    assert(free > 0);
    shrinkWholly(pages);
    assertEquals(pages.free, free);
    shrinkWholly(pages, used + 1);
    assertEquals([pages.used, pages.free < free], [used, true]);
  });
});
