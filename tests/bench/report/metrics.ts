/** A figure's heading and decimals, and which way it is better. */
export interface MetricForm {
  readonly heading: string;
  readonly better: "more" | "less";
  readonly decimals: number;
}

/** All figures, in the order of the columns. */
export const METRICS = {
  callsPerSecond: { heading: "calls/s", better: "more", decimals: 0 },
  setsPerSecond: { heading: "Sets/s", better: "more", decimals: 0 },
  mebibytesPerSecond: { heading: "MiB/s", better: "more", decimals: 1 },
  p50Ms: { heading: "p50 ms", better: "less", decimals: 2 },
  p99Ms: { heading: "p99 ms", better: "less", decimals: 2 },
  p99OfAlone: { heading: "p99 / without writer", better: "less", decimals: 2 },
  p999Ms: { heading: "p99.9 ms", better: "less", decimals: 2 },
  mostMs: { heading: "most ms", better: "less", decimals: 2 },
  firstCallMs: { heading: "first answer after ms", better: "less", decimals: 0 },
  serviceCpuUs: { heading: "service µs", better: "less", decimals: 1 },
  redisCpuUs: { heading: "Redis µs", better: "less", decimals: 1 },
  databaseCpuUs: { heading: "database µs", better: "less", decimals: 1 },
  replicaCpuUs: { heading: "each other replica µs", better: "less", decimals: 1 },
  replicaBytes: { heading: "bytes to each other replica", better: "less", decimals: 0 },
  residentMiB: { heading: "resident MiB", better: "less", decimals: 1 },
  countedMiB: { heading: "counted MiB", better: "less", decimals: 1 },
  bytesPerEntry: { heading: "bytes an entry", better: "less", decimals: 0 },
  ratio: { heading: "service / this", better: "more", decimals: 2 },
} as const satisfies Record<string, MetricForm>;

export type Metric = keyof typeof METRICS;

/** In the order of the columns. */
export const METRIC_NAMES = Object.keys(METRICS) as readonly Metric[];
