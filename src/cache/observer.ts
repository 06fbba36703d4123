import type { BreakerState } from "./circuit_breaker.ts";

/** Events of the cache. Methods are called synchronously and must not throw. */
export interface CacheObserver {
  /** A tier failed or exceeded its time-out. The request goes on without it if it can. */
  tierFailed(tier: string, operation: string, error: unknown): void;
  /** The state of a tier's breaker has changed. */
  breakerChanged(tier: string, state: BreakerState): void;
  /** At least so many changes wait in the outbox, because the tier is out of reach or refuses tombstones. */
  outboxWaiting(tier: string, atLeast: number): void;
  /** This process ends while changes of so many keys may still take effect. */
  changesUnsettled(tier: string, keys: number): void;
  /** This process reaches another server of the tier than the one in force, and does not use it. */
  outOfForce(tier: string): void;
  /** A copy into the tier was dropped because too many were waiting. */
  fillDropped(tier: string): void;
  /** Watches single calls; absent if nothing does, so that calls cost no more. */
  readonly calls?: CallObserver | undefined;
}

/** Events of a single call. */
export interface CallObserver {
  /** A tier is asked; the returned function is called when it has answered or failed. */
  tierAsked(tier: string, operation: string): (hasAnswered: boolean) => void;
  /** A call joins a read that is already under way. */
  readJoined(): void;
}
