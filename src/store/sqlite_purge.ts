import type { Clock, Timer } from "../core/clock.ts";
import type { SqliteStatement } from "./sqlite_database.ts";
import type { SqliteFile } from "./sqlite_file.ts";

/**
 * Rows that one step removes. The process stands still meanwhile: a row of 1 MiB costs 0.4 ms, one of 100
 * bytes 10 us.
 */
export const PURGE_STEP_ROWS = 50;

/** The pause between steps while there is more to remove. */
export const PURGE_STEP_PAUSE_MS = 20;

/** The pause once nothing is left. */
export const PURGE_PAUSE_MS = 10_000;

const PURGE = `
  DELETE FROM entry WHERE rowid IN (
    SELECT rowid FROM entry WHERE expiresAtMs <= ? ORDER BY expiresAtMs LIMIT ${PURGE_STEP_ROWS})`;

/** Removes the rows of expired entries, a few at a time, from its construction until its disposal. */
export class SqlitePurge implements Disposable {
  readonly #file: SqliteFile;
  readonly #clock: Clock;
  readonly #statement: SqliteStatement<Record<string, never>>;
  readonly #ended = new AbortController();
  #timer: Timer;

  constructor(file: SqliteFile, clock: Clock) {
    this.#file = file;
    this.#clock = clock;
    this.#statement = file.statement(PURGE);
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
    const pauseMs = await this.#step();
    if (!this.#ended.signal.aborted) this.#timer = this.#after(pauseMs);
  }

  /** Removes at most {@link PURGE_STEP_ROWS} rows and resolves to the pause before the next step. */
  async #step(): Promise<number> {
    try {
      const purge = () => this.#statement.run(this.#clock.now());
      const removed = await this.#file.change(this.#ended.signal, purge);
      return removed < PURGE_STEP_ROWS ? PURGE_PAUSE_MS : PURGE_STEP_PAUSE_MS;
    } catch {
      // A file that cannot be written shows in the requests; expired rows wait until it can be again.
      return PURGE_PAUSE_MS;
    }
  }
}
