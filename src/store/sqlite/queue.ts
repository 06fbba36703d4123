import type { Clock, Timer } from "../../core/clock.ts";
import { type Deadline, DeadlineQueue } from "../../core/deadline_queue.ts";
import { databaseUnavailable } from "../database_error.ts";
import { isLocked } from "./errors.ts";

/** The pause before the first retry of a locked file; it doubles with each retry, up to {@link MAX_PAUSE_MS}. */
const FIRST_PAUSE_MS = 1;
const MAX_PAUSE_MS = 25;

/** Waiting operations run in one turn of the event loop; each may take a millisecond of disk time. */
const OPERATIONS_PER_TURN = 8;

/** The most waiting operations; the limit bounds the memory they hold. */
export const MAX_WAITING = 10_000;

/** The result of an attempt that did part of its work and needs another turn of the event loop. */
export const AGAIN: unique symbol = Symbol("again");

/** An unfinished operation. */
interface WaitingOperation {
  /** Does the work and settles the operation's promise; throws while the file is locked. */
  attempt(): "done" | "again";
  readonly deadline: Deadline;
}

/**
 * Runs operations on a database file that another program may lock, without blocking the event loop: SQLite does not
 * wait; a timer retries.
 *
 * Operations take effect in their order of arrival, so a waiting one never overwrites a later one. All have the same
 * time-out; an operation that times out leaves the queue and has no effect.
 *
 *     run -> [locked, tried by the timer] [waits] [waits] <- run
 *
 * With an empty queue, an operation runs at once, within the call.
 */
export class SqliteQueue implements Disposable {
  readonly #clock: Clock;
  readonly #timeouts: DeadlineQueue;
  readonly #onTimeUp: (error: Error) => void;
  readonly #waiting: WaitingOperation[] = [];
  #pauseMs = FIRST_PAUSE_MS;
  #timer: Timer | undefined;

  /** An operation waits at most `waitMs`. `onTimeUp` is called for each one that times out. */
  constructor(clock: Clock, waitMs: number, onTimeUp: (error: Error) => void = () => {}) {
    this.#clock = clock;
    this.#timeouts = new DeadlineQueue(clock, waitMs);
    this.#onTimeUp = onTimeUp;
  }

  /**
   * Resolves to the result of `attempt`, which runs when its turn comes and the file is free. Rejects with the error of
   * `attempt`, except for a locked file, and with `store_unavailable` on time-out.
   */
  run<T>(attempt: () => T | typeof AGAIN): Promise<T> {
    if (this.#waiting.length === 0) {
      try {
        const result = attempt();
        if (result !== AGAIN) return Promise.resolve(result);
      } catch (error) {
        if (!isLocked(error)) return Promise.reject(error);
      }
    }
    if (this.#waiting.length >= MAX_WAITING) {
      return Promise.reject(databaseUnavailable(`${MAX_WAITING} operations wait for its file already`));
    }
    return new Promise((resolve, reject) => this.#enqueue(attempt, resolve, reject));
  }

  /** Stops the timers; waiting operations never settle. */
  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#timeouts[Symbol.dispose]();
  }

  #enqueue<T>(
    attempt: () => T | typeof AGAIN,
    resolve: (result: T) => void,
    reject: (error: unknown) => void,
  ): void {
    const waiting: WaitingOperation = {
      attempt() {
        try {
          const result = attempt();
          if (result === AGAIN) return "again";
          resolve(result);
        } catch (error) {
          if (isLocked(error)) throw error;
          reject(error);
        }
        return "done";
      },
      deadline: this.#timeouts.add({
        onTimeUp: () => {
          this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
          const error = databaseUnavailable(
            `its file was locked by another program, or busy, for ${this.#timeouts.timeoutMs} ms`,
          );
          this.#onTimeUp(error);
          reject(error);
        },
      }),
    };
    this.#waiting.push(waiting);
    if (this.#timer === undefined) this.#tryAfter(FIRST_PAUSE_MS);
  }

  #tryAfter(delayMs: number): void {
    this.#timer = this.#clock.setTimer(() => {
      this.#timer = undefined;
      this.#tryWaiting();
    }, delayMs);
  }

  #tryWaiting(): void {
    for (let left = OPERATIONS_PER_TURN; left > 0 && this.#waiting.length > 0; left--) {
      const head = this.#waiting[0]!;
      try {
        if (head.attempt() === "again") break;
      } catch {
        this.#pauseMs = Math.min(this.#pauseMs * 2, MAX_PAUSE_MS);
        return this.#tryAfter(this.#pauseMs);
      }
      head.deadline.cancel();
      this.#waiting.shift();
      this.#pauseMs = FIRST_PAUSE_MS;
    }
    if (this.#waiting.length > 0) this.#tryAfter(0);
  }
}
