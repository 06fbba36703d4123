/** The counts of the last line of `deno test`. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

// deno-lint-ignore no-control-regex -- a terminal's colours begin with the control character ESC
const COLOURS = /\x1b\[[0-9;]*m/g;

/** `FAILED | 3 passed (1 step) | 1 failed | 2 ignored (25ms)`; counts of zero may be absent. */
const SUMMARY =
  /^(?:ok|FAILED) \| (\d+) passed(?: \([^)]*\))? \| (\d+) failed(?: \([^)]*\))?(?: \| (\d+) ignored)?/;

/** The counts of a line of output; undefined for any line but a summary. */
export function parseSummary(line: string): TestCounts | undefined {
  const match = SUMMARY.exec(line.replaceAll(COLOURS, "").trim());
  if (match === null) return undefined;
  const [, passed, failed, skipped] = match;
  return { passed: Number(passed), failed: Number(failed), skipped: Number(skipped ?? 0) };
}

/** The one line that ends a test run: `41 passed, 0 failed`, and `, 2 skipped` if there are any. */
export function formatCounts({ passed, failed, skipped }: TestCounts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
