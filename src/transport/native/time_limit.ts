import type { Clock, Timer } from "../../core/clock.ts";

/** Who is told that its time is up. */
export interface TimeLimited {
  onTimeUp(): void;
}

/** Into how many parts the limit is cut: a timer that is due looks into as many buckets. */
const PARTS = 128;

/** A call that may yet run out of time. */
export interface Place {
  readonly dueMs: number;
  /** The call has ended: it is not told, and nothing holds on to it. */
  leave(): void;
}

/**
 * Bounds calls, each by its own deadline and all by one limit, with one timer for all of them: a timer costs as much
 * as a fifth of a call. Calls that come due at about the same time are in one bucket, as a list that each can leave
 * from within; all that are open come due within the limit, so a ring of buckets has room for every time.
 *
 *     now                                now + limit
 *      | empty | empty | call, call | ... | call |
 *                         ^ the timer is due here, or earlier
 */
export class TimeLimit implements Disposable {
  readonly limitMs: number;
  readonly #clock: Clock;
  readonly #buckets: readonly Bucket[];
  readonly #bucketMs: number;
  #timer: Timer | undefined;
  #timerDueMs = Infinity;

  constructor(limitMs: number, clock: Clock) {
    this.limitMs = limitMs;
    this.#clock = clock;
    this.#bucketMs = Math.ceil(limitMs / PARTS);
    // One more: the limit's two ends share a part.
    this.#buckets = Array.from({ length: PARTS + 1 }, () => new Bucket());
  }

  /** Tells the call at its deadline, or when the limit has passed from now on, unless it has left by then. */
  enter(call: TimeLimited, deadlineMs: number): Place {
    const nowMs = this.#clock.now();
    const dueMs = Math.min(deadlineMs, nowMs + this.limitMs);
    const bucket = this.#buckets[Math.floor(dueMs / this.#bucketMs) % this.#buckets.length]!;
    if (dueMs < this.#timerDueMs) this.#setTimer(dueMs, nowMs);
    return bucket.add(call, dueMs);
  }

  /** Stops the timer; nobody is told any more. */
  [Symbol.dispose](): void {
    this.#timer?.cancel();
  }

  #setTimer(dueMs: number, nowMs: number): void {
    this.#timer?.cancel();
    this.#timerDueMs = dueMs;
    this.#timer = this.#clock.setTimer(() => this.#expire(), Math.max(0, dueMs - nowMs), "background");
  }

  #expire(): void {
    this.#timer = undefined;
    this.#timerDueMs = Infinity;
    const nowMs = this.#clock.now();
    // More than all of it left: the machine's clock was set back, perhaps by hours.
    const isDue = (dueMs: number) => dueMs <= nowMs || dueMs - nowMs > this.limitMs;
    for (const bucket of this.#buckets) {
      if (!bucket.isEmpty && isDue(bucket.earliestMs)) bucket.expire(isDue);
    }
    // Whoever was told may have begun something else.
    const next = Math.min(this.#timerDueMs, ...this.#buckets.map(({ earliestMs }) => earliestMs));
    if (next < this.#timerDueMs) this.#setTimer(next, nowMs);
  }
}

/** Calls that come due at about the same time; a ring through all of them and the bucket itself. */
class Bucket {
  next: Bucket | Waiting = this;
  previous: Bucket | Waiting = this;
  /** No call in it comes due before; Infinity when it is empty. */
  earliestMs = Infinity;

  get isEmpty(): boolean {
    return this.next === this;
  }

  add(call: TimeLimited, dueMs: number): Waiting {
    const waiting = new Waiting(this, call, dueMs);
    this.earliestMs = Math.min(this.earliestMs, dueMs);
    return waiting;
  }

  /** Tells those that are due, and learns what is now the earliest of the others. */
  expire(isDue: (dueMs: number) => boolean): void {
    const due: Waiting[] = [];
    let earliestMs = Infinity;
    for (let at = this.next; at instanceof Waiting; at = at.next) {
      if (isDue(at.dueMs)) due.push(at);
      else earliestMs = Math.min(earliestMs, at.dueMs);
    }
    this.earliestMs = earliestMs;
    // Told last: it may lead to calls that leave or come.
    for (const waiting of due) {
      if (waiting.leave()) waiting.call.onTimeUp();
    }
  }
}

class Waiting implements Place {
  readonly dueMs: number;
  readonly call: TimeLimited;
  readonly #bucket: Bucket;
  next: Bucket | Waiting;
  previous: Bucket | Waiting;
  #isThere = true;

  /** Enters the bucket, last. */
  constructor(bucket: Bucket, call: TimeLimited, dueMs: number) {
    this.dueMs = dueMs;
    this.call = call;
    this.#bucket = bucket;
    this.next = bucket;
    this.previous = bucket.previous;
    bucket.previous.next = this;
    bucket.previous = this;
  }

  /** False if it had left before. */
  leave(): boolean {
    if (!this.#isThere) return false;
    this.#isThere = false;
    this.previous.next = this.next;
    this.next.previous = this.previous;
    // Whoever still holds this must not hold its neighbours, or the collector would keep them with it.
    this.next = this.previous = this.#bucket;
    if (this.#bucket.isEmpty) this.#bucket.earliestMs = Infinity;
    return true;
  }
}
