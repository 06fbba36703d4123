/** How much is measured. */
export interface Effort {
  readonly name: "full" | "quick";
  /** Repeats of each measurement. */
  readonly runs: number;
  readonly warmUpMs: number;
  /** How many measurements of a freshly started service are discarded. */
  readonly warmUpRounds: number;
  readonly measuredMs: number;
  /** The most keys of a scenario; fewer take less time to prepare. */
  readonly maxKeys: number;
  readonly memoryEntries: readonly number[];
  readonly payloadBytes: readonly number[];
  readonly replicas: readonly number[];
  /** How many replicas receive the invalidations of another one's writes. */
  readonly idleReplicas: readonly number[];
  /** How many writes each repeat measures staleness for. */
  readonly staleWrites: number;
}

/** About nine minutes on two cores. */
export const FULL: Effort = {
  name: "full",
  runs: 3,
  warmUpMs: 400,
  warmUpRounds: 3,
  measuredMs: 1_200,
  maxKeys: Infinity,
  memoryEntries: [10_000, 100_000, 150_000, 1_000_000],
  payloadBytes: [100, 1024, 10 * 1024, 100 * 1024, 1024 * 1024],
  replicas: [1, 2, 3, 4],
  idleReplicas: [0, 1, 3],
  staleWrites: 2_000,
};

/** Only checks that everything works. */
export const QUICK: Effort = {
  name: "quick",
  runs: 1,
  // None: some methods take each key once, and a fast machine would use them all up during the warm-up.
  warmUpMs: 0,
  warmUpRounds: 0,
  measuredMs: 120,
  maxKeys: 1_000,
  memoryEntries: [10_000],
  payloadBytes: [100, 1024 * 1024],
  replicas: [2],
  idleReplicas: [0, 1],
  staleWrites: 50,
};
