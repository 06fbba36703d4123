import type { Clock, Timer } from "./clock.ts";

interface Waiting {
  readonly deadlineMs: number;
  readonly expire: () => void;
  settled: boolean;
}

/**
 * Bounds operations that all have the same time-out with one timer for all of them.
 *
 * Deadlines come due in the order in which they were set, so a queue holds them and the timer is set for its
 * head; an operation costs a push and a flag instead of a timer of its own.
 *
 *     head -> [settled] [settled] [waiting] [settled] [waiting] <- tail
 *                                     ^ the timer is due here, or earlier
 */
export class Timeouts implements Disposable {
  readonly timeoutMs: number;
  readonly #clock: Clock;
  readonly #queue: Waiting[] = [];
  #head = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.timeoutMs = timeoutMs;
  }

  /**
   * Settles as `work` does, or rejects with `makeError()` once the time-out has passed. `onLate` is called if
   * the work settles after that, since whatever it did it did then.
   */
  race<T>(work: Promise<T>, makeError: () => Error, onLate?: () => void): Promise<T> {
    return new Promise((resolve, reject) => {
      let expired = false;
      const waiting: Waiting = {
        deadlineMs: this.#clock.now() + this.timeoutMs,
        settled: false,
        expire: () => {
          expired = true;
          reject(makeError());
        },
      };
      this.#push(waiting);
      work.then(
        (value) => {
          waiting.settled = true;
          if (expired) onLate?.();
          else resolve(value);
        },
        (error) => {
          waiting.settled = true;
          if (expired) onLate?.();
          else reject(error);
        },
      );
    });
  }

  /** Stops the timer: what is still under way is bounded by nothing any more. */
  [Symbol.dispose](): void {
    this.#timer?.cancel();
  }

  #push(waiting: Waiting): void {
    this.#skipSettled();
    this.#queue.push(waiting);
    this.#timer ??= this.#clock.setTimer(() => this.#expire(), this.timeoutMs);
  }

  #expire(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.now();
    for (; this.#head < this.#queue.length; this.#head++) {
      const waiting = this.#queue[this.#head]!;
      if (waiting.settled) continue;
      const leftMs = waiting.deadlineMs - nowMs;
      // More than all of it: the machine's clock was set back, perhaps by hours, and nobody waits that long.
      if (leftMs > 0 && leftMs <= this.timeoutMs) break;
      waiting.expire();
    }
    this.#compact();
    const next = this.#queue[this.#head];
    if (next !== undefined) this.#timer = this.#clock.setTimer(() => this.#expire(), next.deadlineMs - nowMs);
  }

  #skipSettled(): void {
    while (this.#head < this.#queue.length && this.#queue[this.#head]!.settled) this.#head++;
    this.#compact();
  }

  /** Drops the part before the head once it is the larger one, so that each element moves once at most. */
  #compact(): void {
    if (this.#head === this.#queue.length) this.#queue.length = 0;
    else if (this.#head < 64 || this.#head * 2 < this.#queue.length) return;
    else this.#queue.splice(0, this.#head);
    this.#head = 0;
  }
}
