import type { TransportClock, TransportTimer } from "../clock.ts";

/** Who is told that its time is up. */
export interface TimeLimited {
  onTimeUp(): void;
}

/** A call's place in the queue of a {@link TimeLimit}; empty once the call has ended. */
export interface Place {
  call: TimeLimited | undefined;
  readonly dueMs: number;
}

/**
 * Bounds calls that all have the same limit with one timer for all of them: a timer costs as much as a fifth of a
 * call. They come due in the order in which they began, so a queue holds them and the timer is set for its head.
 *
 *     head -> [empty] [call] [empty] [empty] [call] <- tail
 *                       ^ the timer is due here, or earlier
 */
export class TimeLimit implements Disposable {
  readonly limitMs: number;
  readonly #clock: TransportClock;
  readonly #queue: Place[] = [];
  #head = 0;
  #timer: TransportTimer | undefined;

  constructor(limitMs: number, clock: TransportClock) {
    this.limitMs = limitMs;
    this.#clock = clock;
  }

  /** Tells the call when the limit has passed from now on, unless its place has been emptied by then. */
  enter(call: TimeLimited): Place {
    this.#skipEmpty();
    const place = { call, dueMs: this.#clock.now() + this.limitMs };
    this.#queue.push(place);
    this.#timer ??= this.#clock.setTimer(() => this.#expire(), this.limitMs, "background");
    return place;
  }

  /** Stops the timer; nobody has a place any more. */
  [Symbol.dispose](): void {
    this.#timer?.cancel();
  }

  #expire(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.now();
    for (; this.#head < this.#queue.length; this.#head++) {
      const { call, dueMs } = this.#queue[this.#head]!;
      // More than all of it left: the machine's clock was set back, perhaps by hours.
      if (call !== undefined && dueMs > nowMs && dueMs - nowMs <= this.limitMs) break;
      call?.onTimeUp();
    }
    this.#compact();
    const next = this.#queue[this.#head];
    if (next === undefined) return;
    this.#timer = this.#clock.setTimer(() => this.#expire(), next.dueMs - nowMs, "background");
  }

  #skipEmpty(): void {
    while (this.#head < this.#queue.length && this.#queue[this.#head]!.call === undefined) this.#head++;
    this.#compact();
  }

  /** Drops the part before the head once it is the larger one, so that each place moves once at most. */
  #compact(): void {
    if (this.#head === this.#queue.length) this.#queue.length = 0;
    else if (this.#head < 64 || this.#head * 2 < this.#queue.length) return;
    else this.#queue.splice(0, this.#head);
    this.#head = 0;
  }
}
