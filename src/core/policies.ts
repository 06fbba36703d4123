/** Policies that the configuration sets and the cache follows. */

/** When a circuit breaker opens and how it probes. */
export interface BreakerThresholds {
  /** The share of the calls in the window, above 0 and up to 1, that must have failed. */
  readonly failureRatio: number;
  /** The breaker never opens with fewer calls in the window. */
  readonly minCalls: number;
  readonly windowMs: number;
  /** From opening to the first probe. Doubles with each failed probe, up to a second. */
  readonly probeDelayMs: number;
}

/**
 * How local memory keeps what it copies from a lower tier. Without a policy, copies live as long as their entries and
 * absence is not remembered.
 */
export interface CopyPolicy {
  /** The longest that a copy is kept; Infinity: as long as its entry lives. */
  readonly localTtlMs: number;
  /** How long absence is remembered; 0: not at all. */
  readonly negativeTtlMs: number;
  /** The share of a copy's time after which a hit renews it, below 1; 0: never. */
  readonly refreshAhead: number;
  /** The most that is taken off these times, and off an entry's own, at random; a share of them, below 1. */
  readonly jitter: number;
}
