import { assertEquals, assertThrows } from "@std/assert";
import { median, percentiles, summarize } from "../../bench/report/statistics.ts";

Deno.test("median() is the middle of an odd count and the mean of the two middles of an even one", () => {
  assertEquals(median([9]), 9);
  assertEquals(median([10, 9, 100]), 10);
  assertEquals(median([4, 1, 3, 2]), 2.5);
});

Deno.test("percentiles() are the smallest values that cover such shares of all, without interpolation", () => {
  const oneToHundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  assertEquals(percentiles(oneToHundred, [50, 99, 100, 0.1]), [50, 99, 100, 1]);
  assertEquals(percentiles([7], [99]), [7]);
  assertEquals(percentiles([1, 1000], [50, 51]), [1, 1000]);
});

Deno.test("percentiles() order numbers as numbers and leave their argument as it was", () => {
  const values = [10, 9, 100, 1];
  assertEquals(percentiles(values, [75]), [10]);
  assertEquals(values, [10, 9, 100, 1]);
});

Deno.test("percentiles() throws without values, and for shares outside 0 to 100", () => {
  assertThrows(() => percentiles([], [50]), RangeError, "there are no values");
  for (const percent of [0, -1, 100.1, NaN]) {
    assertThrows(() => percentiles([1], [percent]), RangeError, "not above 0 and at most 100");
  }
});

Deno.test("summarize() returns the median and the extremes", () => {
  assertEquals(summarize([30, 10, 20]), { median: 20, min: 10, max: 30 });
  assertThrows(() => summarize([]), RangeError, "there are no values");
});
