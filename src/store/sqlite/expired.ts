import type { Clock } from "../../core/clock.ts";
import type { SqliteStatement } from "./database.ts";
import type { SqliteFile } from "./file.ts";

/**
 * Rows removed in one step, which blocks the event loop: a row of 1 MiB costs 0.4 ms, one of 100 bytes 10 µs.
 */
export const STEP_ROWS = 50;

const REMOVE = `
  DELETE FROM entry WHERE rowid IN (
    SELECT rowid FROM entry WHERE expiresAtMs <= ? ORDER BY expiresAtMs LIMIT ${STEP_ROWS})`;

/** The rows of entries that have expired, the earliest first. */
export class ExpiredRows {
  readonly #clock: Clock;
  readonly #remove: SqliteStatement;

  constructor(file: SqliteFile, clock: Clock) {
    this.#clock = clock;
    this.#remove = file.statement(REMOVE);
  }

  /** Removes at most {@link STEP_ROWS}; returns how many. */
  removeSome(): number {
    return this.#remove.run(this.#clock.now());
  }
}
