import { assertEquals } from "@std/assert";
import { cacheKey } from "../../../src/core/key.ts";
import { SqliteDatabase } from "../../../src/store/sqlite_database.ts";
import { SqliteEntries } from "../../../src/store/sqlite_entries.ts";
import { PURGE_PAUSE_MS, PURGE_STEP_PAUSE_MS, PURGE_STEP_ROWS } from "../../../src/store/sqlite_purge.ts";
import { FakeClock } from "../../support/fake_clock.ts";

const SIGNAL = new AbortController().signal;

function countRows(database: SqliteDatabase): number {
  const [row] = database.statement<{ readonly n: number }>("SELECT count(*) AS n FROM entry").rows();
  return row?.n ?? 0;
}

async function fill(entries: SqliteEntries, count: number, expiresAtMs: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await entries.write(
      cacheKey(`until ${expiresAtMs}`, `${i}`),
      { value: new Uint8Array(1), expiresAtMs },
      SIGNAL,
    );
  }
}

Deno.test("SqlitePurge removes expired rows in small steps and spares the others", async () => {
  const clock = new FakeClock();
  using database = new SqliteDatabase(":memory:");
  using entries = new SqliteEntries(database, clock);
  await fill(entries, 2 * PURGE_STEP_ROWS + 5, clock.now() + 1);
  await fill(entries, 3, clock.now() + 1_000_000);
  await fill(entries, 4, Infinity);

  const rows = [];
  for (let step = 0; step < 4; step++) {
    clock.advance(PURGE_STEP_PAUSE_MS);
    rows.push(countRows(database));
  }
  assertEquals(rows, [PURGE_STEP_ROWS + 5 + 7, 5 + 7, 7, 7]);
});

Deno.test("SqlitePurge comes back for rows that expire later", async () => {
  const clock = new FakeClock();
  using database = new SqliteDatabase(":memory:");
  using entries = new SqliteEntries(database, clock);
  await fill(entries, 3, clock.now() + 5_000);
  clock.advance(4_999);
  assertEquals(countRows(database), 3);
  clock.advance(PURGE_PAUSE_MS);
  assertEquals(countRows(database), 0);
});

Deno.test("SqlitePurge finds expired rows by the index, without a scan of the table", () => {
  using database = new SqliteDatabase(":memory:");
  const plan = database.statement<{ readonly detail: string }>(
    "EXPLAIN QUERY PLAN SELECT rowid FROM entry WHERE expiresAtMs <= ? ORDER BY expiresAtMs LIMIT 50",
  ).rows(1);
  assertEquals(plan.map((row) => row.detail), [
    "SEARCH entry USING COVERING INDEX entryExpiry (expiresAtMs<?)",
  ]);
});

Deno.test("SqliteEntries leaves no timer behind once it is disposed of", () => {
  const clock = new FakeClock();
  using database = new SqliteDatabase(":memory:");
  {
    using _entries = new SqliteEntries(database, clock);
    assertEquals(clock.pendingTimers, 1);
  }
  assertEquals(clock.pendingTimers, 0);
});
