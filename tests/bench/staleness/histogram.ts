/** The share of the values in one range. */
export interface Bucket {
  /** The range in words, such as `0`, `0.1..0.2` or `over 10`. */
  readonly name: string;
  /** From 0 to 1. */
  readonly share: number;
}

/**
 * The shares of values from 0 up in the ranges between rising `bounds`: up to the first, above it up to the second and
 * so on, and above the last. Empty ranges are left out.
 */
export function histogram(values: readonly number[], bounds: readonly number[]): Bucket[] {
  const counts = new Array<number>(bounds.length + 1).fill(0);
  for (const value of values) {
    const at = bounds.findIndex((bound) => value <= bound);
    counts[at === -1 ? bounds.length : at]!++;
  }
  return counts
    .map((count, at) => ({ name: rangeName(bounds, at), share: count / values.length }))
    .filter(({ share }) => share > 0);
}

function rangeName(bounds: readonly number[], at: number): string {
  if (at === bounds.length) return `over ${bounds[at - 1]}`;
  if (at === 0) return `${bounds[0]}`;
  return `${bounds[at - 1]}..${bounds[at]}`;
}
