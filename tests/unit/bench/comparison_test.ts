import { assertEquals } from "@std/assert";
import { compare, isWorse } from "../../bench/report/comparison.ts";
import type { Figures, Results } from "../../bench/report/results.ts";
import { QUICK } from "../../bench/effort.ts";

const summary = (min: number, median: number, max: number) => ({ min, median, max });

function results(figures: Figures, machine: Partial<Results["machine"]> = {}): Results {
  return {
    machine: {
      date: "2026-01-01",
      cpu: "a CPU",
      cores: 2,
      memoryGiB: 4,
      kernel: "linux",
      deno: "2.9.3",
      redis: undefined,
      database: undefined,
      h2load: undefined,
      node: undefined,
      loadAverage: 0,
      ...machine,
    },
    effort: QUICK,
    sections: [{
      part: "calls",
      title: "Calls",
      labels: ["calls", "by"],
      note: "",
      rows: [{ labels: ["Get", "deno"], figures }],
    }],
  };
}

Deno.test("isWorse() is true past 10 % in the bad direction, where no repeat is as good as the worst before", () => {
  assertEquals(isWorse(summary(95, 100, 105), summary(80, 89, 94), "more"), true);
  assertEquals(isWorse(summary(95, 100, 105), summary(80, 89, 95), "more"), false, "the spreads touch");
  assertEquals(isWorse(summary(99, 100, 101), summary(90, 91, 92), "more"), false, "9 %");
  assertEquals(isWorse(summary(95, 100, 105), summary(150, 200, 210), "more"), false, "better");
  assertEquals(isWorse(summary(95, 100, 105), summary(106, 111, 120), "less"), true);
  assertEquals(isWorse(summary(95, 100, 105), summary(105, 111, 120), "less"), false, "the spreads touch");
  assertEquals(isWorse(summary(0, 0, 0), summary(0, 0, 0), "less"), false);
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

Deno.test("compare() doubts results of another machine", () => {
  const before = results({}, { cores: 8 });
  assertEquals(compare(before, results({})).doubts, ["cores was 8, is 2"]);
});
