import type { Clock } from "../core/clock.ts";

/**
 * A fixed number of places, given in the order of asking. Who waits too long or is aborted leaves the queue, so
 * that a place never goes to somebody who has gone.
 */
export class Slots {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #free: number;

  constructor(count: number, clock: Clock) {
    this.#free = count;
    this.#clock = clock;
  }

  /** Resolves once a place is the caller's, who gives it back; rejects after `timeoutMs` or with the signal. */
  take(timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(enter);
        timer.cancel();
        signal.removeEventListener("abort", abort);
      };
      const enter = () => {
        leave();
        resolve();
      };
      const abort = () => {
        leave();
        reject(signal.reason);
      };
      const timer = this.#clock.setTimer(() => {
        leave();
        reject(new DOMException(`No place was free within ${timeoutMs} ms`, "TimeoutError"));
      }, timeoutMs);
      signal.addEventListener("abort", abort, { once: true });
      this.#waiting.add(enter);
    });
  }

  /** Gives a place back, to the one who waits longest if there is one. */
  give(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#free++;
    else next();
  }
}
