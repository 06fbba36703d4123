import type { Clock, Timer } from "./clock.ts";

/** An operation with a time-out. */
export interface TimeBounded {
  /** The time-out has passed. Must not throw. */
  onTimeUp(): void;
}

/** The place of an operation in the queue of {@link Timeouts}. The code that ends the operation empties it. */
export interface Place {
  operation: TimeBounded | undefined;
  /** By the monotonic clock. */
  readonly dueMs: number;
}

/**
 * Bounds operations that have the same time-out, with one timer for all of them.
 *
 * Deadlines come due in the order in which they were set, so they form a queue, and the timer is set for its head. An
 * operation costs a place in the queue instead of a timer. Its place is emptied when it ends, so that the queue does not
 * keep it alive.
 *
 *     head -> [empty] [empty] [operation] [empty] [operation] <- tail
 *                                 ^ the timer is due here, or earlier
 */
export class Timeouts implements Disposable {
  readonly timeoutMs: number;
  readonly #clock: Clock;
  readonly #queue: Place[] = [];
  #head = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.timeoutMs = timeoutMs;
  }

  /** Calls the operation's `onTimeUp` after the time-out, counted from this turn, unless its place has been emptied. */
  enter(operation: TimeBounded): Place {
    this.#skipEmpty();
    const place = { operation, dueMs: this.#clock.monotonicOfTurn() + this.timeoutMs };
    this.#queue.push(place);
    this.#timer ??= this.#clock.setTimer(() => this.#expire(), this.timeoutMs);
    return place;
  }

  /** Settles as `work` does, or rejects with `makeError()` once the time-out has passed. */
  race<T>(work: Promise<T>, makeError: () => Error): Promise<T> {
    return new Promise((resolve, reject) => {
      const place = this.enter({ onTimeUp: () => reject(makeError()) });
      work.then(
        (value) => {
          place.operation = undefined;
          resolve(value);
        },
        (error) => {
          place.operation = undefined;
          reject(error);
        },
      );
    });
  }

  /** Stops the timer: operations that are still under way lose their time-out. */
  [Symbol.dispose](): void {
    this.#timer?.cancel();
  }

  #expire(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.monotonic();
    for (; this.#head < this.#queue.length; this.#head++) {
      const place = this.#queue[this.#head]!;
      if (place.operation === undefined) continue;
      if (place.dueMs > nowMs) break;
      const { operation } = place;
      place.operation = undefined;
      operation.onTimeUp();
    }
    this.#compact();
    const next = this.#queue[this.#head];
    if (next !== undefined) this.#timer = this.#clock.setTimer(() => this.#expire(), next.dueMs - nowMs);
  }

  #skipEmpty(): void {
    while (this.#head < this.#queue.length && this.#queue[this.#head]!.operation === undefined) this.#head++;
    this.#compact();
  }

  /** Drops the part before the head once it is the larger part, so that each element moves at most once. */
  #compact(): void {
    if (this.#head === this.#queue.length) this.#queue.length = 0;
    else if (this.#head < 64 || this.#head * 2 < this.#queue.length) return;
    else this.#queue.splice(0, this.#head);
    this.#head = 0;
  }
}
