import type { Clock, Timer } from "../../core/clock.ts";
import { type Deadline, DeadlineQueue } from "../../core/deadline_queue.ts";
import { databaseUnavailable } from "../database_error.ts";
import { isLocked } from "./errors.ts";

/** The pause before a locked file is tried again; it doubles with each try, up to {@link MAX_PAUSE_MS}. */
const FIRST_PAUSE_MS = 1;
const MAX_PAUSE_MS = 25;

/** How many waiting operations one turn of the event loop runs; each may take a millisecond of the disk. */
const OPERATIONS_PER_TURN = 8;

/** More do not wait: what they hold in memory would have no bound. */
export const MAX_WAITING = 10_000;

/** The result of an attempt that has done a part of its work and needs another turn of the event loop. */
export const AGAIN: unique symbol = Symbol("again");

/** An operation that is not done yet. */
interface Waiting {
  /** Does the work and settles the operation's promise; throws while the file is locked. */
  attempt(): "done" | "again";
  readonly deadline: Deadline;
}

/**
 * Runs operations on a database file that another program may have locked, without blocking the event loop: SQLite
 * itself does not wait, a timer tries again.
 *
 * Operations take effect in the order in which they came, so that an earlier one that waits never overwrites a later
 * one. All have the same time-out; one that has run out of time is gone and takes no effect any more.
 *
 *     run -> [locked, tried by the timer] [waits] [waits] <- run
 *
 * While nothing waits, an operation runs at once, within the call.
 */
export class SqliteQueue implements Disposable {
  readonly #clock: Clock;
  readonly #timeouts: DeadlineQueue;
  readonly #onTimeUp: (error: Error) => void;
  readonly #waiting: Waiting[] = [];
  #pauseMs = FIRST_PAUSE_MS;
  #timer: Timer | undefined;

  /** An operation waits for at most `waitMs`. `onTimeUp` hears of each that has waited in vain. */
  constructor(clock: Clock, waitMs: number, onTimeUp: (error: Error) => void = () => {}) {
    this.#clock = clock;
    this.#timeouts = new DeadlineQueue(clock, waitMs);
    this.#onTimeUp = onTimeUp;
  }

  /**
   * Resolves to what `attempt` returns once the file is free and it is this operation's turn. Rejects with what it
   * throws, other than that the file is locked, and with `store_unavailable` when the time is up.
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

  /** Stops the timers; what still waits never settles. */
  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#timeouts[Symbol.dispose]();
  }

  #enqueue<T>(
    attempt: () => T | typeof AGAIN,
    resolve: (result: T) => void,
    reject: (error: unknown) => void,
  ): void {
    const waiting: Waiting = {
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
