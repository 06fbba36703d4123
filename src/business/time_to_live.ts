import type { Violation } from "../core/errors.ts";

/** A google.protobuf.Duration. Seconds above 2^53 may be inexact, but those are far out of range. */
export interface Duration {
  readonly seconds: number;
  readonly nanos: number;
}

/** The longest Duration, about 10,000 years. Source: google/protobuf/duration.proto. */
export const MAX_DURATION_SECONDS = 315_576_000_000;

const MAX_NANOS = 999_999_999;
const NANOS_PER_MS = 1_000_000;

/**
 * The time to live in ms, rounded up; Infinity when `expire` is absent. Adds to `violations`, and returns NaN,
 * if it is zero, negative, out of range, or not a valid Duration.
 */
export function timeToLiveMs(violations: Violation[], field: string, expire: Duration | undefined): number {
  if (expire === undefined) return Infinity;
  const { seconds, nanos } = expire;
  const expected = `expected more than 0 and at most ${MAX_DURATION_SECONDS} seconds`;
  if (Math.abs(nanos) > MAX_NANOS || (seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0)) {
    violations.push({
      field,
      description:
        `is not a Duration (${seconds} seconds and ${nanos} nanos), ${expected}, nanos of the same sign`,
    });
    return NaN;
  }
  if (
    seconds + nanos / 1e9 <= 0 || seconds > MAX_DURATION_SECONDS ||
    (seconds === MAX_DURATION_SECONDS && nanos > 0)
  ) {
    violations.push({ field, description: `is ${inSeconds(expire)} seconds, ${expected}` });
    return NaN;
  }
  return seconds * 1000 + Math.ceil(nanos / NANOS_PER_MS);
}

/** The decimal number of seconds, exact: `-0.000000001`. */
function inSeconds({ seconds, nanos }: Duration): string {
  const sign = seconds < 0 || nanos < 0 ? "-" : "";
  const fraction = nanos === 0 ? "" : `.${String(Math.abs(nanos)).padStart(9, "0").replace(/0+$/, "")}`;
  return `${sign}${Math.abs(seconds)}${fraction}`;
}
