import type { BreakerState } from "./circuit_breaker.ts";

/** What the chain tells whoever watches it; every method is called on the spot and must not throw. */
export interface CacheObserver {
  /** A tier failed or ran into its time-out; the request goes on without it where it can. */
  tierFailed(tier: string, operation: string, error: unknown): void;
  /** A tier's breaker is in another state. */
  breakerChanged(tier: string, state: BreakerState): void;
  /** Changes that a tier has not been told of are waiting, at least so many, because it is out of reach. */
  outboxWaiting(tier: string, atLeast: number): void;
  /** This process ends while it does not know of changes of so many keys whether they will take effect. */
  changesUnsettled(tier: string, keys: number): void;
  /** The server of a tier that this process reaches is not the one that others use, so it is left alone. */
  outOfForce(tier: string): void;
  /** A copy into a nearer tier was given up because too many were waiting. */
  fillDropped(tier: string): void;
  /** Watches calls one by one; absent where no one does, so that calls cost no more. */
  readonly calls?: CallObserver | undefined;
}

/** What is told of each call, in the course of it. */
export interface CallObserver {
  /** A tier is asked something; what is returned is called when it has answered or failed. */
  tierAsked(tier: string, operation: string): (hasAnswered: boolean) => void;
  /** A call waits for a read that is under way already. */
  readJoined(): void;
}
