import type { DeadlineQueue } from "../../core/deadline_queue.ts";

/**
 * A fixed number of places, given in the order of asking. Who waits too long or is aborted leaves the queue, so
 * that a place never goes to somebody who has gone.
 */
export class Slots {
  readonly #timeouts: DeadlineQueue;
  readonly #waiting = new Set<() => void>();
  #free: number;

  /** `timeouts` bound the waiting. */
  constructor(count: number, timeouts: DeadlineQueue) {
    this.#free = count;
    this.#timeouts = timeouts;
  }

  /** Resolves once a place is the caller's, who gives it back; rejects after the time-out or with the signal. */
  take(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve();
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = () => {
      this.#waiting.delete(enter);
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
    signal.addEventListener("abort", abort, { once: true });
    this.#waiting.add(enter);
    return this.#timeouts.race(promise, () => {
      leave();
      return new DOMException(`No place was free within ${this.#timeouts.timeoutMs} ms`, "TimeoutError");
    });
  }

  /** Gives a place back, to the one who waits longest if there is one. */
  give(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#free++;
    else next();
  }
}
