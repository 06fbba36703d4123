import { assertEquals } from "@std/assert";
import { formatDuration, parseDurationMs } from "../../../src/config/duration.ts";
import { seededRandom, withSeed } from "../../support/seeded_random.ts";

Deno.test("parseDurationMs() parses every unit of Go, and several in a row", () => {
  const cases: ReadonlyArray<readonly [string, number]> = [
    ["1s", 1000],
    ["0.2s", 200],
    ["200ms", 200],
    ["1m30s", 90_000],
    ["1h", 3_600_000],
    ["1.5h", 5_400_000],
    [".5s", 500],
    ["1.s", 1000],
    ["1.1s", 1100],
    ["1500us", 2],
    ["2000000ns", 2],
    ["3000µs", 3],
    ["0s", 0],
  ];
  for (const [text, ms] of cases) assertEquals(parseDurationMs(text), ms, text);
});

Deno.test("parseDurationMs() refuses text without a unit or a number, and text with a sign, a space or another unit", () => {
  for (
    const text of ["", "1", "0", "s", "-1s", "+1s", "1 s", "1s ", "1d", "1S", "1e3s", "1s2", "1,5s", "..5s"]
  ) {
    assertEquals(parseDurationMs(text), undefined, text);
  }
});

Deno.test("formatDuration() writes text that parseDurationMs() parses back, for any whole number of milliseconds", async () => {
  await withSeed((seed) => {
    const random = seededRandom(seed);
    for (let i = 0; i < 5000; i++) {
      const ms = Math.floor(10 ** (random() * 9.3));
      assertEquals(parseDurationMs(formatDuration(ms)), ms, formatDuration(ms));
    }
    return Promise.resolve();
  });
});

Deno.test("formatDuration() writes the units that people use", () => {
  assertEquals([1, 999, 1000, 1500, 90_000, 3_600_000, 3_661_001].map(formatDuration), [
    "1ms",
    "999ms",
    "1s",
    "1.5s",
    "1m30s",
    "1h",
    "1h1m1.001s",
  ]);
});
