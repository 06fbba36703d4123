import { assert, assertEquals } from "@std/assert";
import { type Duration, MAX_DURATION_SECONDS, timeToLiveMs } from "../../../src/business/time_to_live.ts";
import type { Violation } from "../../../src/core/errors.ts";
import { seededRandom, withSeed } from "../../support/seeded_random.ts";

const RANGE = "expected more than 0 and at most 315576000000 seconds";

/** The time to live, or what is wrong with it. */
function read(seconds: number, nanos = 0): number | string {
  const violations: Violation[] = [];
  const ttlMs = timeToLiveMs(violations, "expire", { seconds, nanos });
  if (violations.length === 0) return ttlMs;
  assertEquals([Number.isNaN(ttlMs), violations.length, violations[0]!.field], [true, 1, "expire"]);
  return violations[0]!.description;
}

Deno.test("timeToLiveMs() is Infinity when there is no expire", () => {
  assertEquals(timeToLiveMs([], "expire", undefined), Infinity);
});

Deno.test("timeToLiveMs() counts in milliseconds, rounded up", () => {
  const cases: readonly [Duration, number][] = [
    [{ seconds: 0, nanos: 1 }, 1],
    [{ seconds: 0, nanos: 1_000_000 }, 1],
    [{ seconds: 0, nanos: 1_000_001 }, 2],
    [{ seconds: 0, nanos: 999_999_999 }, 1_000],
    [{ seconds: 1, nanos: 0 }, 1_000],
    [{ seconds: 1, nanos: 999_000_000 }, 1_999],
    [{ seconds: MAX_DURATION_SECONDS - 1, nanos: 999_999_999 }, MAX_DURATION_SECONDS * 1_000],
    [{ seconds: MAX_DURATION_SECONDS, nanos: 0 }, MAX_DURATION_SECONDS * 1_000],
  ];
  for (const [{ seconds, nanos }, expected] of cases) assertEquals(read(seconds, nanos), expected);
});

Deno.test("timeToLiveMs() refuses zero, negative and too long times, and names them", () => {
  const cases: readonly [Duration, string][] = [
    [{ seconds: 0, nanos: 0 }, "0"],
    [{ seconds: 0, nanos: -1 }, "-0.000000001"],
    [{ seconds: -1, nanos: -500_000_000 }, "-1.5"],
    [{ seconds: MAX_DURATION_SECONDS, nanos: 1 }, "315576000000.000000001"],
    [{ seconds: 1e12, nanos: 0 }, "1000000000000"],
    [{ seconds: 2 ** 63, nanos: 0 }, "9223372036854776000"],
    [{ seconds: -(2 ** 63), nanos: 0 }, "-9223372036854776000"],
  ];
  for (const [{ seconds, nanos }, shown] of cases) {
    assertEquals(read(seconds, nanos), `is ${shown} seconds, ${RANGE}`);
  }
});

Deno.test("timeToLiveMs() refuses an invalid Duration: too many nanos, or of another sign", () => {
  const cases = [[0, 1e9], [0, -1e9], [5, -1], [-5, 1], [0, 2 ** 31 - 1], [1, -(2 ** 31)]] as const;
  for (const [seconds, nanos] of cases) {
    const shown = `is not a Duration (${seconds} seconds and ${nanos} nanos)`;
    assertEquals(read(seconds, nanos), `${shown}, ${RANGE}, nanos of the same sign`);
  }
});

Deno.test("timeToLiveMs() is never less than what was asked for, nor a millisecond more", () =>
  withSeed((seed) => {
    const random = seededRandom(seed);
    for (let round = 0; round < 5_000; round++) {
      const seconds = Math.floor(random() * 2 ** Math.floor(random() * 39));
      const nanos = 1 + Math.floor(random() * 999_999_999);
      const ttlMs = read(seconds, nanos);
      assert(typeof ttlMs === "number" && Number.isSafeInteger(ttlMs));
      const surplusNanos = BigInt(ttlMs) * 1_000_000n - BigInt(seconds) * 1_000_000_000n - BigInt(nanos);
      assert(0n <= surplusNanos && surplusNanos < 1_000_000n, `${seconds} s, ${nanos} ns: ${ttlMs} ms`);
    }
    return Promise.resolve();
  }));
