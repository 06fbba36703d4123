import type { Clock, Timer } from "../../core/clock.ts";
import { ExpiredRows, STEP_ROWS } from "./expired.ts";
import type { SqliteFile } from "./file.ts";
import { AGAIN } from "./queue.ts";
import type { SqliteSizeLimit } from "./size_limit.ts";

/** Observes the embedded database; must not throw. */
export interface SqliteObserver {
  /** Rows could not be removed. Reported once, until a removal succeeds again. */
  purgeFailed(error: unknown): void;
}

/** The pause between two steps. */
export const PURGE_STEP_PAUSE_MS = 20;

/** The pause after the last step. */
export const PURGE_PAUSE_MS = 1_000;

/** The parts of a {@link SqlitePurge}. */
export interface SqlitePurgeOptions {
  readonly clock: Clock;
  readonly limit: SqliteSizeLimit;
  readonly observer: SqliteObserver;
}

/**
 * Frees space in small steps until it is disposed of: removes expired rows and those above the size limit, returns free
 * pages to the disk, and lets the file recover from a full disk.
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

  /** Runs one step; resolves to whether more work is left. */
  #step(): Promise<boolean> {
    return this.#file.remove(this.#ended.signal, () => {
      if (this.#expired.removeSome() === STEP_ROWS) return true;
      if (this.#limit.makeRoom(0) === AGAIN) return true;
      return this.#file.shrink(this.#limit.maxPages);
    });
  }
}
