import { assertEquals } from "@std/assert";
import { cacheKey } from "../../../../src/core/key.ts";
import type { SqliteFile } from "../../../../src/store/sqlite/file.ts";
import { SqliteEntries } from "../../../../src/store/sqlite/entries.ts";
import { STEP_ROWS } from "../../../../src/store/sqlite/expired.ts";
import { PURGE_PAUSE_MS, PURGE_STEP_PAUSE_MS } from "../../../../src/store/sqlite/purge.ts";
import { ENTRIES, memoryFile } from "../../../support/sqlite/sqlite.ts";
import { turn } from "../../../support/turn.ts";
import { FakeClock } from "../../../support/fake_clock.ts";

const SIGNAL = new AbortController().signal;

function countRows(file: SqliteFile): number {
  const [row] = file.statement<{ readonly n: number }>("SELECT count(*) AS n FROM entry").rows();
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
  using file = memoryFile(clock);
  using entries = new SqliteEntries(file, { ...ENTRIES, clock });
  await fill(entries, 2 * STEP_ROWS + 5, clock.now() + 1);
  await fill(entries, 3, clock.now() + 1_000_000);
  await fill(entries, 4, Infinity);

  const rows = [];
  for (let step = 0; step < 4; step++) {
    clock.advance(PURGE_STEP_PAUSE_MS);
    await turn();
    rows.push(countRows(file));
  }
  assertEquals(rows, [STEP_ROWS + 5 + 7, 5 + 7, 7, 7]);
});

Deno.test("SqlitePurge comes back for rows that expire later", async () => {
  const clock = new FakeClock();
  using file = memoryFile(clock);
  using entries = new SqliteEntries(file, { ...ENTRIES, clock });
  await fill(entries, 3, clock.now() + 5_000);
  const steps = async (ms: number) => {
    clock.advance(PURGE_STEP_PAUSE_MS);
    await turn();
    for (let atMs = PURGE_STEP_PAUSE_MS; atMs < ms; atMs += PURGE_PAUSE_MS) {
      clock.advance(Math.min(PURGE_PAUSE_MS, ms - atMs));
      await turn();
    }
  };
  await steps(4_999);
  assertEquals(countRows(file), 3);
  clock.advance(PURGE_PAUSE_MS);
  await turn();
  assertEquals(countRows(file), 0);
});

Deno.test("SqlitePurge finds expired rows by the index, without a scan of the table", () => {
  using file = memoryFile(new FakeClock());
  const plan = file.statement<{ readonly detail: string }>(
    "EXPLAIN QUERY PLAN SELECT rowid FROM entry WHERE expiresAtMs <= ? ORDER BY expiresAtMs LIMIT 50",
  ).rows(1);
  assertEquals(plan.map((row) => row.detail), [
    "SEARCH entry USING COVERING INDEX entryExpiry (expiresAtMs<?)",
  ]);
});

Deno.test("SqliteEntries leaves no timer after its disposal", () => {
  const clock = new FakeClock();
  using file = memoryFile(clock);
  {
    using _entries = new SqliteEntries(file, { ...ENTRIES, clock });
    assertEquals(clock.pendingTimers, 1);
  }
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("SqlitePurge reports one failure, and another only after a success", async () => {
  const clock = new FakeClock();
  const failures: string[] = [];
  using file = memoryFile(clock);
  const observer = { purgeFailed: (error: unknown) => void failures.push(String(error)) };
  using _entries = new SqliteEntries(file, { ...ENTRIES, clock, observer });
  const rename = (from: string, to: string) => file.statement(`ALTER TABLE ${from} RENAME TO ${to}`).run();
  for (const _episode of [1, 2]) {
    rename("entry", "away");
    for (let i = 0; i < 3; i++) {
      clock.advance(PURGE_PAUSE_MS);
      await turn();
    }
    rename("away", "entry");
    clock.advance(PURGE_PAUSE_MS);
    await turn();
  }
  assertEquals(failures.length, 2);
});
