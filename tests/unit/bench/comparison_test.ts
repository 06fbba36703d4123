import { assertEquals } from "@std/assert";
import { compare, isWorse } from "../../bench/report/comparison.ts";
import type { Machine } from "../../bench/machine.ts";
import type { Figures, Results, Row } from "../../bench/report/results.ts";
import { QUICK } from "../../bench/effort.ts";
import { MACHINE } from "./machine.ts";

const summary = (min: number, median: number, max: number) => ({ min, median, max });

function resultsOf(rows: readonly Row[], machine: Partial<Machine> = {}, effort = QUICK): Results {
  const section = { part: "calls", title: "Calls", labels: ["calls", "by"], note: "", rows };
  return { machine: { ...MACHINE, ...machine }, effort, sections: [section] };
}

const LABELS = ["Get", "deno"];

/** Results of one row. */
function results(figures: Figures, further: Partial<Row> = {}): Results {
  return resultsOf([{ labels: LABELS, figures, ...further }]);
}

const MORE = { better: "more", leastDifference: 0 } as const;
const LESS = { better: "less", leastDifference: 0 } as const;

Deno.test("isWorse() is true beyond 10 % if no repeat is as good as the worst one before", () => {
  assertEquals(isWorse(summary(95, 100, 105), summary(80, 89, 94), MORE), true);
  assertEquals(isWorse(summary(95, 100, 105), summary(80, 89, 95), MORE), false, "the spreads touch");
  assertEquals(isWorse(summary(99, 100, 101), summary(90, 91, 92), MORE), false, "9 %");
  assertEquals(isWorse(summary(95, 100, 105), summary(150, 200, 210), MORE), false, "better");
  assertEquals(isWorse(summary(95, 100, 105), summary(106, 111, 120), LESS), true);
  assertEquals(isWorse(summary(95, 100, 105), summary(105, 111, 120), LESS), false, "the spreads touch");
  assertEquals(isWorse(summary(0, 0, 0), summary(0, 0, 0), LESS), false);
});

Deno.test("isWorse() is true if every repeat is far worse than the median before, despite one bad repeat then", () => {
  const [was, is] = [summary(27_227, 110_014, 110_726), summary(28_000, 30_000, 31_000)];
  assertEquals(isWorse(was, is, MORE), true);
  assertEquals(isWorse(was, summary(28_000, 30_000, 75_000), MORE), false, "one repeat is not a third worse");
  assertEquals(isWorse(summary(1, 1.1, 9), summary(1.5, 2, 2.5), LESS), true);
  assertEquals(
    isWorse(summary(1, 1.1, 9), summary(1.4, 2, 2.5), LESS),
    false,
    "one repeat is not a third worse",
  );
});

Deno.test("isWorse() is false below the least difference", () => {
  const [was, is] = [summary(1, 1, 1), summary(2, 2, 2)];
  assertEquals(isWorse(was, is, { better: "less", leastDifference: 1.5 }), false);
  assertEquals(isWorse(was, is, { better: "less", leastDifference: 1 }), true);
});

Deno.test("compare() ignores differences that a report does not show, and one step of the CPU clock", () => {
  const before = results({ p50Ms: summary(0.01, 0.01, 0.01), redisCpuUs: summary(0, 0, 0) }, {
    cpuStepUs: 3.3,
  });
  const step = results({ p50Ms: summary(0.019, 0.019, 0.019), redisCpuUs: summary(3.3, 3.3, 3.3) });
  assertEquals(compare(before, step).worse, []);
  const steps = results({ p50Ms: summary(0.03, 0.03, 0.03), redisCpuUs: summary(6.6, 6.6, 6.6) });
  assertEquals(compare(before, steps).worse, [
    "calls: Get, deno: p50 ms was 0.01, is 0.03",
    "calls: Get, deno: Redis µs was 0.0, is 6.6",
  ]);
});

Deno.test("compare() names a worse figure with its row, and counts what both results have", () => {
  const before = results({
    callsPerSecond: summary(95, 100, 105),
    p50Ms: summary(1, 1, 1),
    p99Ms: summary(2, 2, 2),
  });
  const now = results({
    callsPerSecond: summary(50, 60, 70),
    p50Ms: summary(1, 1, 1),
    mostMs: summary(9, 9, 9),
  });
  assertEquals(compare(before, now), {
    worse: ["calls: Get, deno: calls/s was 100 (95..105), is 60 (50..70)"],
    compared: 2,
    doubts: [],
  });
});

Deno.test("compare() has a doubt about a row that is gone, and none about a new one", () => {
  const before = resultsOf([{ labels: ["Get"], figures: {} }, { labels: ["Set"], figures: {} }]);
  const now = resultsOf([{ labels: ["Get"], figures: {} }, { labels: ["Del"], figures: {} }]);
  assertEquals(compare(before, now).doubts, ["calls: Set: was measured, and is not"]);
  assertEquals(compare(before, { ...now, sections: [] }).doubts, ["calls: was measured, and is not"]);
  assertEquals(compare(before, resultsOf([])).doubts, ["calls: was measured, and is not"]);
  assertEquals(compare(resultsOf([]), now).doubts, []);
});

Deno.test("compare() does not compare a row with failed calls on either side, and has a doubt", () => {
  const good = results({ p50Ms: summary(1, 1, 1) });
  const failed = results({ p50Ms: summary(9, 9, 9) }, { failures: { "status 14": 3 } });
  const none = { worse: [], compared: 0 };
  assertEquals(compare(good, failed), {
    ...none,
    doubts: ["calls: Get, deno: is not compared, 0 calls failed then, 3 now"],
  });
  assertEquals(compare(failed, good), {
    ...none,
    doubts: ["calls: Get, deno: is not compared, 3 calls failed then, 0 now"],
  });
});

Deno.test("compare() doubts results of another machine or another effort", () => {
  const other = { cores: 8, memoryGiB: 8, kernel: "linux 5", node: "20.0.0", h2load: "1.52.0" };
  const before = resultsOf([], other, { ...QUICK, runs: 5, measuredMs: 1_200 });
  assertEquals(compare(before, resultsOf([])).doubts, [
    "the number of repeats was 5, is 1",
    "the measured time in ms was 1200, is 120",
    "cores was 8, is 2",
    "memoryGiB was 8, is 4",
    "kernel was linux 5, is linux",
    "node was 20.0.0, is none",
    "h2load was 1.52.0, is none",
  ]);
});
