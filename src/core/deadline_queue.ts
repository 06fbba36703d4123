import type { Clock, Timer } from "./clock.ts";

/** An operation that is bounded in time. */
export interface TimeBounded {
  /** Its time is up. Must not throw. */
  onTimeUp(): void;
}

/** The deadline of one operation. */
export interface Deadline {
  /** By the monotonic clock. */
  readonly dueMs: number;
  /** Ends the deadline and releases its operation. Returns false if it had ended: cancelled, or its time was up. */
  cancel(): boolean;
}

/** The time-out is cut into this many parts, with a bucket for each: enough that few operations share one. */
const PARTS = 128;

/**
 * Bounds operations in time, each by a deadline within the same time-out, with one timer for all of them: a timer of its
 * own would cost as much as a fifth of a call. It is a timing wheel: operations that come due at about the same time
 * share a bucket, a linked list that each leaves in constant time. All come due within the time-out, so a ring of
 * buckets has room for every time.
 *
 *     now                                              now + timeoutMs
 *      | empty | empty | operation, operation | ... | operation |
 *                         ^ the timer is due here, or earlier
 */
export class DeadlineQueue implements Disposable {
  /** The longest time-out. */
  readonly timeoutMs: number;
  readonly #clock: Clock;
  readonly #buckets: readonly Bucket[];
  readonly #bucketMs: number;
  #timer: Timer | undefined;
  #timerDueMs = Infinity;

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.timeoutMs = timeoutMs;
    this.#bucketMs = Math.ceil(timeoutMs / PARTS);
    // One more: both ends of the time-out fall into parts of their own.
    this.#buckets = Array.from({ length: PARTS + 1 }, () => new Bucket());
  }

  /** Calls the operation back `afterMs` from this turn on, at the latest after the time-out, unless cancelled before. */
  add(operation: TimeBounded, afterMs = this.timeoutMs): Deadline {
    const nowMs = this.#clock.monotonicOfTurn();
    const dueMs = nowMs + Math.min(Math.max(0, afterMs), this.timeoutMs);
    if (dueMs < this.#timerDueMs) this.#setTimer(dueMs, nowMs);
    return new BucketDeadline(
      this.#buckets[Math.floor(dueMs / this.#bucketMs) % this.#buckets.length]!,
      operation,
      dueMs,
    );
  }

  /** Settles as `work` does, or rejects with `makeError()` once the time-out has passed. */
  race<T>(work: Promise<T>, makeError: () => Error): Promise<T> {
    return new Promise((resolve, reject) => {
      const deadline = this.add({ onTimeUp: () => reject(makeError()) });
      work.then(
        (value) => {
          deadline.cancel();
          resolve(value);
        },
        (error) => {
          deadline.cancel();
          reject(error);
        },
      );
    });
  }

  /** Stops the timer: operations in flight are no longer bounded. */
  [Symbol.dispose](): void {
    this.#timer?.cancel();
  }

  #setTimer(dueMs: number, nowMs: number): void {
    this.#timer?.cancel();
    this.#timerDueMs = dueMs;
    this.#timer = this.#clock.setTimer(() => this.#expire(), Math.max(0, dueMs - nowMs));
  }

  #expire(): void {
    this.#timer = undefined;
    this.#timerDueMs = Infinity;
    const nowMs = this.#clock.monotonic();
    for (const bucket of this.#buckets) {
      if (bucket.earliestMs <= nowMs) bucket.expire(nowMs);
    }
    // An operation that was called back may have set the timer for another one.
    const next = Math.min(this.#timerDueMs, ...this.#buckets.map(({ earliestMs }) => earliestMs));
    if (next < this.#timerDueMs) this.#setTimer(next, nowMs);
  }
}

/** Deadlines that come due at about the same time: a ring through all of them and the bucket itself. */
class Bucket {
  next: Bucket | BucketDeadline = this;
  previous: Bucket | BucketDeadline = this;
  /** No deadline in it is earlier; Infinity when it is empty. */
  earliestMs = Infinity;

  /** Calls back the operations that are due, and finds the earliest deadline of the others. */
  expire(nowMs: number): void {
    const due: BucketDeadline[] = [];
    let earliestMs = Infinity;
    for (let at = this.next; at instanceof BucketDeadline; at = at.next) {
      if (at.dueMs <= nowMs) due.push(at);
      else earliestMs = Math.min(earliestMs, at.dueMs);
    }
    this.earliestMs = earliestMs;
    // Called back last: an operation may cancel or add others.
    for (const deadline of due) {
      if (deadline.cancel()) deadline.operation.onTimeUp();
    }
  }
}

class BucketDeadline implements Deadline {
  readonly dueMs: number;
  readonly operation: TimeBounded;
  readonly #bucket: Bucket;
  next: Bucket | BucketDeadline;
  previous: Bucket | BucketDeadline;
  #isPending = true;

  /** Enters the bucket as its last. */
  constructor(bucket: Bucket, operation: TimeBounded, dueMs: number) {
    this.dueMs = dueMs;
    this.operation = operation;
    this.#bucket = bucket;
    this.next = bucket;
    this.previous = bucket.previous;
    bucket.previous.next = this;
    bucket.previous = this;
    if (dueMs < bucket.earliestMs) bucket.earliestMs = dueMs;
  }

  cancel(): boolean {
    if (!this.#isPending) return false;
    this.#isPending = false;
    this.previous.next = this.next;
    this.next.previous = this.previous;
    // A deadline that is still referenced must not keep its neighbours alive.
    this.next = this.previous = this.#bucket;
    if (this.#bucket.next === this.#bucket) this.#bucket.earliestMs = Infinity;
    return true;
  }
}
