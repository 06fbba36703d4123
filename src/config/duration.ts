/** Durations as Go writes them: `1s`, `0.2s`, `200ms`, `1m30s`, `1h`. */

/** Milliseconds in each unit of Go's `time.ParseDuration`. */
const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ["ns", 1e-6],
  ["us", 1e-3],
  ["µs", 1e-3],
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
]);

const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/y;

/**
 * Whole milliseconds, the rest rounded; undefined when `text` is not a duration. A number without a unit is
 * none, and neither is a negative one: nothing here counts backwards.
 */
export function parseDurationMs(text: string): number | undefined {
  let totalMs = 0;
  let end = 0;
  while (end < text.length) {
    PART.lastIndex = end;
    const [, digits, unit] = PART.exec(text) ?? [];
    if (digits === undefined || unit === undefined) return undefined;
    totalMs += Number(digits) * UNIT_MS.get(unit)!;
    end = PART.lastIndex;
  }
  return end === 0 ? undefined : Math.round(totalMs);
}

/** The shortest form that {@link parseDurationMs} reads back as `ms`, a whole number of milliseconds. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${ms}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor(ms % 3_600_000 / 60_000);
  const seconds = ms % 60_000 / 1000;
  return (hours > 0 ? `${hours}h` : "") + (minutes > 0 ? `${minutes}m` : "") +
    (seconds > 0 ? `${seconds}s` : "");
}
