import type { BreakerState } from "../../../src/cache/circuit_breaker.ts";
import type { CacheObserver } from "../../../src/cache/observer.ts";

/** Records each event as a line: `redis read: <the error's text>`. */
export class RecordingObserver implements CacheObserver {
  readonly reports: string[] = [];

  tierFailed(tier: string, operation: string, error: unknown): void {
    this.reports.push(`${tier} ${operation}: ${error instanceof Error ? error.message : error}`);
  }

  breakerChanged(tier: string, state: BreakerState): void {
    this.reports.push(`${tier} breaker ${state}`);
  }

  outboxWaiting(tier: string, atLeast: number): void {
    this.reports.push(`${tier} lacks ${atLeast} changes`);
  }

  changesUnsettled(tier: string, keys: number): void {
    this.reports.push(`${tier} leaves ${keys} keys unsettled`);
  }

  outOfForce(tier: string): void {
    this.reports.push(`${tier} is out of force`);
  }

  fillDropped(tier: string): void {
    this.reports.push(`${tier} dropped a fill`);
  }
}
