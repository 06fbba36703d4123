import { assertEquals } from "@std/assert";
import { formatCounts, parseSummary } from "../../../support/runner/test_counts.ts";

Deno.test("parseSummary() reads the last line of deno test, with steps, ignored tests and colours", () => {
  assertEquals(parseSummary("ok | 19 passed | 0 failed (642ms)"), { passed: 19, failed: 0, skipped: 0 });
  assertEquals(
    parseSummary(
      "FAILED | 1 passed (2 steps) | 3 failed (1 step) | 2 ignored (1 step) | 4 filtered out (1m2s)",
    ),
    { passed: 1, failed: 3, skipped: 2 },
  );
  assertEquals(
    parseSummary(
      "\x1b[0m\x1b[31mFAILED\x1b[0m | 1 passed | 1 failed | 1 ignored \x1b[0m\x1b[38;5;245m(11ms)\x1b[0m",
    ),
    { passed: 1, failed: 1, skipped: 1 },
  );
});

Deno.test("parseSummary() takes no other line for a summary", () => {
  for (
    const line of ["", "ok", "parseSummary() reads ... ok (2ms)", "41 passed, 0 failed", "error: Test failed"]
  ) {
    assertEquals(parseSummary(line), undefined, line);
  }
});

Deno.test("formatCounts() names skipped tests only if there are any", () => {
  assertEquals(formatCounts({ passed: 41, failed: 0, skipped: 0 }), "41 passed, 0 failed");
  assertEquals(formatCounts({ passed: 41, failed: 1, skipped: 2 }), "41 passed, 1 failed, 2 skipped");
});
