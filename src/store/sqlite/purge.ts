import type { Clock, Timer } from "../../core/clock.ts";
import { ExpiredRows, STEP_ROWS } from "./expired.ts";
import type { SqliteFile } from "./file.ts";
import type { SqliteObserver } from "./observer.ts";
import { AGAIN } from "./queue.ts";
import type { SqliteSizeLimit } from "./size_limit.ts";

/** The pause between steps while there is more to do. */
export const PURGE_STEP_PAUSE_MS = 20;

/** The pause once nothing is left. */
export const PURGE_PAUSE_MS = 1_000;

/** What the purge works with. */
export interface SqlitePurgeOptions {
  readonly clock: Clock;
  readonly limit: SqliteSizeLimit;
  readonly observer: SqliteObserver;
}

/**
 * Makes room, a little at a time, from its construction until its disposal: removes the rows of expired entries and
 * those that are too many, gives free pages back to the disk, and ends the time in which the disk was full.
 */
export class SqlitePurge implements Disposable {
  readonly #file: SqliteFile;
  readonly #clock: Clock;
  readonly #expired: ExpiredRows;
  readonly #limit: SqliteSizeLimit;
  readonly #observer: SqliteObserver;
  readonly #ended = new AbortController();
  #isFailing = false;
  #timer: Timer;

  constructor(file: SqliteFile, { clock, limit, observer }: SqlitePurgeOptions) {
    this.#file = file;
    this.#clock = clock;
    this.#expired = new ExpiredRows(file, clock);
    this.#limit = limit;
    this.#observer = observer;
    this.#timer = this.#after(PURGE_STEP_PAUSE_MS);
  }

  [Symbol.dispose](): void {
    this.#ended.abort();
    this.#timer.cancel();
  }

  #after(delayMs: number): Timer {
    return this.#clock.setTimer(() => this.#run(), delayMs, "background");
  }

  async #run(): Promise<void> {
    let hasMore = false;
    try {
      hasMore = await this.#step();
      this.#isFailing = false;
    } catch (error) {
      if (!this.#ended.signal.aborted && !this.#isFailing) this.#observer.purgeFailed(error);
      this.#isFailing = true;
    }
    if (!hasMore) await this.#file.recover();
    if (!this.#ended.signal.aborted) {
      this.#timer = this.#after(hasMore ? PURGE_STEP_PAUSE_MS : PURGE_PAUSE_MS);
    }
  }

  /** Does one piece of the work; resolves to whether there is more. */
  #step(): Promise<boolean> {
    return this.#file.remove(this.#ended.signal, () => {
      if (this.#expired.removeSome() === STEP_ROWS) return true;
      if (this.#limit.makeRoom(0) === AGAIN) return true;
      return this.#file.shrink(this.#limit.maxPages);
    });
  }
}
