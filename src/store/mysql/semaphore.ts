import type { DeadlineQueue } from "../../core/deadline_queue.ts";

/**
 * A fixed number of permits, granted in the order of arrival. A caller that times out or is aborted leaves the queue, so
 * a permit never goes to a caller that has stopped waiting.
 */
export class Semaphore {
  readonly #timeouts: DeadlineQueue;
  readonly #waiting = new Set<() => void>();
  #free: number;

  /** `timeouts` bound the wait. */
  constructor(count: number, timeouts: DeadlineQueue) {
    this.#free = count;
    this.#timeouts = timeouts;
  }

  /** Resolves once the caller has a permit, which it must release. Rejects on time-out or abort. */
  acquire(signal: AbortSignal): Promise<void> {
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
      return new DOMException(`No permit was free within ${this.#timeouts.timeoutMs} ms`, "TimeoutError");
    });
  }

  /** Returns a permit, or passes it to the caller that has waited longest. */
  release(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#free++;
    else next();
  }
}
