import { assertEquals } from "@std/assert";
import { isExpired, timeLeftMs } from "../../../src/core/entry.ts";
import { secretExpiresAtMs } from "../../../src/core/secret.ts";
import { compareVersions, endOf, UNVERSIONED } from "../../../src/core/version.ts";

Deno.test("isExpired() and timeLeftMs() count the instant of expiry itself as expired", () => {
  const cases = [
    { expiresAtMs: 1_000, nowMs: 999, expired: false, leftMs: 1 },
    { expiresAtMs: 1_000, nowMs: 1_000, expired: true, leftMs: 0 },
    { expiresAtMs: 1_000, nowMs: 5_000, expired: true, leftMs: 0 },
    { expiresAtMs: Infinity, nowMs: Number.MAX_SAFE_INTEGER, expired: false, leftMs: Infinity },
  ];
  for (const { nowMs, expired, leftMs, ...entry } of cases) {
    const clock = { now: () => nowMs };
    assertEquals([isExpired(entry, clock), timeLeftMs(entry, clock)], [expired, leftMs]);
  }
});

Deno.test("secretExpiresAtMs() takes 0 for never and everything else for Unix seconds", () => {
  assertEquals(secretExpiresAtMs({ expires: 0 }), Infinity);
  assertEquals(secretExpiresAtMs({ expires: 1_735_689_600 }), 1_735_689_600_000);
  assertEquals(secretExpiresAtMs({ expires: -1 }), -1_000);
});

Deno.test("compareVersions() orders by the row first, and the end of a row after all its revisions", () => {
  const ordered = [
    UNVERSIONED,
    { id: 1, revision: 1 },
    { id: 1, revision: 2 },
    { id: 1, revision: Number.MAX_SAFE_INTEGER - 1 },
    endOf(1),
    { id: 2, revision: 1 },
    endOf(2),
  ];
  for (const [i, a] of ordered.entries()) {
    for (const [j, b] of ordered.entries()) assertEquals(Math.sign(compareVersions(a, b)), Math.sign(i - j));
  }
});
