/** What the transports are measured with, and by which numbers. */

export const METHOD_PATH = "/bench.Transport/Get";

/** A gRPC message of 16 octets. */
export const REQUEST_BODY: Uint8Array = Uint8Array.from(
  { length: 21 },
  (_, i) => i === 4 ? 16 : i > 4 ? 7 : 0,
);

/** How many calls are in flight. */
export interface Shape {
  readonly connections: number;
  /** Calls in flight on each connection. */
  readonly streams: number;
}

export interface Measurement {
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** The value that `share` of all, from the smallest on, do not exceed. */
export function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
