/** One number that stands for several runs, and how far apart they were. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The median and the extremes. Throws a RangeError when there are no values. */
export function summarize(values: readonly number[]): Summary {
  const sorted = ascending(values);
  return { median: median(sorted), min: sorted[0]!, max: sorted.at(-1)! };
}

/** The middle value, or the mean of the two in the middle. Throws a RangeError when there are no values. */
export function median(values: readonly number[]): number {
  const sorted = ascending(values);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * The smallest value that at least `percent` of all values do not exceed (nearest rank, nothing interpolated).
 * Throws a RangeError when there are no values or `percent` is not in (0, 100].
 */
export function percentile(values: readonly number[], percent: number): number {
  if (!(percent > 0 && percent <= 100)) {
    throw new RangeError(`Cannot tell a percentile: ${percent} is not above 0 and at most 100`);
  }
  const sorted = ascending(values);
  return sorted[Math.ceil(sorted.length * percent / 100) - 1]!;
}

function ascending(values: readonly number[]): number[] {
  if (values.length === 0) throw new RangeError("Cannot tell a statistic: there are no values");
  return [...values].sort((a, b) => a - b);
}
