import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { FULL, QUICK } from "../../bench/effort.ts";
import { figureText, toMarkdown } from "../../bench/report/markdown.ts";
import { METRICS } from "../../bench/report/metrics.ts";
import type { Row } from "../../bench/report/results.ts";
import { MACHINE } from "./machine.ts";

function markdownOf(rows: readonly Row[], effort = FULL): string {
  const section = { part: "calls", title: "Calls", labels: ["calls", "by"], note: "A note.", rows };
  return toMarkdown({ machine: MACHINE, effort, sections: [section] });
}

Deno.test("figureText() writes the spread after the median, unless it rounds to nothing", () => {
  assertEquals(
    figureText({ median: 12345.6, min: 9000, max: 13000 }, METRICS.callsPerSecond),
    "12,346 (9,000..13,000)",
  );
  assertEquals(figureText({ median: 1, min: 0.999, max: 1.001 }, METRICS.p50Ms), "1.00");
  assertEquals(figureText(undefined, METRICS.p50Ms), "-");
});

Deno.test("toMarkdown() has a column for each figure of any row, and a dash in rows without it", () => {
  const once = (value: number) => ({ median: value, min: value, max: value });
  const markdown = markdownOf([
    { labels: ["Get", "deno"], figures: { callsPerSecond: once(1000), p99Ms: once(2) } },
    { labels: ["Set", "h2load"], figures: { callsPerSecond: once(10) } },
  ]);
  const table = markdown.split("\n").filter((line) => line.startsWith("|"));
  assertEquals(table, [
    "| calls | by     | calls/s | p99 ms |",
    "| ----- | ------ | ------: | -----: |",
    "| Get   | deno   |   1,000 |   2.00 |",
    "| Set   | h2load |      10 |      - |",
  ]);
  assertStringIncludes(markdown, "### Calls\n\nA note.\n\n| calls");
});

Deno.test("toMarkdown() calls a row with failed calls invalid", () => {
  const markdown = markdownOf([
    { labels: ["Get", "deno"], figures: {}, failures: { "status 14": 3 }, remarks: ["the log complained"] },
  ]);
  assertStringIncludes(markdown, '- Get, deno: **invalid**, 3 calls failed: {"status 14":3}\n');
  assertStringIncludes(markdown, "- Get, deno: the log complained");
});

Deno.test("toMarkdown() warns that the figures of a quick run mean nothing", () => {
  assertStringIncludes(markdownOf([], QUICK), "A quick run");
  assert(!markdownOf([], FULL).includes("quick run"));
});
