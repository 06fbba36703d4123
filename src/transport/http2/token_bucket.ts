import type { RateLimit } from "./limits.ts";

/** Allows a burst, then a rate. Reads the time only when it is empty. */
export class TokenBucket {
  readonly #limit: RateLimit;
  readonly #now: () => number;
  #tokens: number;
  #refilledAtMs: number;

  constructor(limit: RateLimit, now: () => number) {
    this.#limit = limit;
    this.#now = now;
    this.#tokens = limit.burst;
    this.#refilledAtMs = now();
  }

  /** Takes a token. Returns false when there is none. */
  take(): boolean {
    if (this.#tokens < 1) this.#refill();
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** Adds tokens, up to the burst. */
  refund(tokens: number): void {
    this.#tokens = Math.min(this.#limit.burst, this.#tokens + tokens);
  }

  #refill(): void {
    const nowMs = this.#now();
    this.refund(Math.max(0, nowMs - this.#refilledAtMs) / 1000 * this.#limit.perSecond);
    this.#refilledAtMs = nowMs;
  }
}
