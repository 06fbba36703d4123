import { assertEquals, assertThrows } from "@std/assert";
import { median, percentile, summarize } from "../../bench/statistics.ts";

Deno.test("median() is the middle of an odd count and the mean of the two middles of an even one", () => {
  assertEquals(median([9]), 9);
  assertEquals(median([10, 9, 100]), 10);
  assertEquals(median([4, 1, 3, 2]), 2.5);
});

Deno.test("percentile() is the smallest value that covers that share of all, without interpolation", () => {
  const oneToHundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  assertEquals(percentile(oneToHundred, 50), 50);
  assertEquals(percentile(oneToHundred, 99), 99);
  assertEquals(percentile(oneToHundred, 100), 100);
  assertEquals(percentile(oneToHundred, 0.1), 1);
  assertEquals(percentile([7], 99), 7);
  assertEquals(percentile([1, 1000], 50), 1);
  assertEquals(percentile([1, 1000], 51), 1000);
});

Deno.test("percentile() orders numbers as numbers and leaves its argument as it was", () => {
  const values = [10, 9, 100, 1];
  assertEquals(percentile(values, 75), 10);
  assertEquals(values, [10, 9, 100, 1]);
});

Deno.test("percentile() refuses no values and shares that are none", () => {
  assertThrows(() => percentile([], 50), RangeError, "there are no values");
  for (const percent of [0, -1, 100.1, NaN]) {
    assertThrows(() => percentile([1], percent), RangeError, "not above 0 and at most 100");
  }
});

Deno.test("summarize() tells the median and the extremes", () => {
  assertEquals(summarize([30, 10, 20]), { median: 20, min: 10, max: 30 });
  assertThrows(() => summarize([]), RangeError, "there are no values");
});
