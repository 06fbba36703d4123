import { assertEquals } from "@std/assert";
import { histogram } from "../../bench/staleness/histogram.ts";

Deno.test("histogram() counts a bound to the range below it, and leaves empty ranges out", () => {
  assertEquals(histogram([0, 0, 0.1, 0.15, 0.2, 0.3, 7, 8], [0, 0.1, 0.2, 1, 5]), [
    { name: "0", share: 2 / 8 },
    { name: "0..0.1", share: 1 / 8 },
    { name: "0.1..0.2", share: 2 / 8 },
    { name: "0.2..1", share: 1 / 8 },
    { name: "over 5", share: 2 / 8 },
  ]);
  assertEquals(histogram([], [1]), []);
});
