/**
 * How local memory keeps what it copies from below. Entries without a policy are kept as long as they live, and
 * nothing is remembered of those that are not there.
 */
export interface CopyPolicy {
  /** The longest that a copy is kept, whatever time its entry has left; Infinity: as long as the entry lives. */
  readonly localTtlMs: number;
  /** The longest that "not there" is remembered; 0: not at all. */
  readonly negativeTtlMs: number;
  /** The share of the time that a copy is kept after which a hit renews it, below 1; 0: never. */
  readonly refreshAhead: number;
  /** The most that is taken off these times, and off an entry's own, at random, as a share of them, below 1. */
  readonly jitter: number;
}
