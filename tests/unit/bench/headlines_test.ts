import { assert, assertEquals } from "@std/assert";
import { FULL } from "../../bench/effort.ts";
import { headlines } from "../../bench/report/headlines.ts";
import type { Row } from "../../bench/report/results.ts";
import { MACHINE } from "./machine.ts";

function linesOf(rows: readonly Row[]): string[] {
  const section = { part: "calls", title: "Calls", labels: [], note: "", rows };
  return headlines({ machine: MACHINE, effort: FULL, sections: [section] }).split("\n");
}

Deno.test("headlines() takes the medians of the rows that README.md shows, and no other row", () => {
  const figures = { callsPerSecond: { median: 171_006, min: 1, max: 200_000 } };
  const lines = linesOf([
    { labels: ["Get, L1 hit", "servers", "8 x 16", "h2load"], figures: {} },
    { labels: ["Get, L1 hit", "servers", "8 x 16", "deno"], figures },
  ]);
  assertEquals(lines[0], "| call | calls/s | p50 ms | p99 ms | service µs |");
  assertEquals(lines[2], "| Get from local memory | 171,006 | - | - | - |");
  assertEquals(lines.at(-1), "Measured on 2026-01-01, commit 0123456789ab: a CPU, 2 cores.");
});

Deno.test("headlines() has a row of dashes for a call that was not measured", () => {
  const rows = linesOf([]).filter((line) => line.startsWith("|")).slice(2);
  assertEquals(rows.length, 4);
  for (const row of rows) assert(row.endsWith("| - | - | - | - |"), row);
});
