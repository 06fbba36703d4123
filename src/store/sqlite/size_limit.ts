import type { Clock } from "../../core/clock.ts";
import { databaseUnavailable } from "../database_error.ts";
import type { SqliteStatement } from "./database.ts";
import { ExpiredRows, STEP_ROWS } from "./expired.ts";
import type { SqliteFile } from "./file.ts";
import { AGAIN } from "./queue.ts";

/** Bytes that a step removes beyond the need, to save the next steps. */
const SLACK_BYTES = 2 ** 16;

/** Pages that a row may take beside its value: key, index entries, partly empty pages. */
const OVERHEAD_PAGES = 8;

/** The row header holds the length, so the value itself is not read. */
const OLDEST = `SELECT rowid AS id, length(value) AS bytes FROM entry ORDER BY rowid LIMIT ${STEP_ROWS}`;

const REMOVE_UP_TO = "DELETE FROM entry WHERE rowid <= ?";

/**
 * Keeps a database file below a size. Removes expired entries first, then those written longest ago, never secrets. Each
 * write gives its row the highest rowid, so rowids are in the order of writing.
 */
export class SqliteSizeLimit {
  /** The limit in pages; Infinity for no limit. */
  readonly maxPages: number;
  readonly #file: SqliteFile;
  readonly #expired: ExpiredRows;
  readonly #oldest: SqliteStatement<{ readonly id: number; readonly bytes: number }>;
  readonly #removeUpTo: SqliteStatement;

  /** `maxBytes` is Infinity for no limit. */
  constructor(file: SqliteFile, clock: Clock, maxBytes: number) {
    this.#file = file;
    this.maxPages = Math.floor(maxBytes / file.pages.pageBytes);
    this.#expired = new ExpiredRows(file, clock);
    this.#oldest = file.statement(OLDEST);
    this.#removeUpTo = file.statement(REMOVE_UP_TO);
  }

  /** Removes a few rows and returns {@link AGAIN} while a value of `bytes` does not fit. */
  makeRoom(bytes: number): typeof AGAIN | undefined {
    const { pages } = this.#file;
    if (this.maxPages === Infinity) return undefined;
    const needed = Math.ceil(bytes / pages.pageBytes) + OVERHEAD_PAGES;
    const overPages = pages.used + needed - this.maxPages;
    if (overPages <= 0) return undefined;
    if (this.#expired.removeSome() > 0) return AGAIN;
    const last = this.#lastOf(overPages * pages.pageBytes + SLACK_BYTES);
    if (last === undefined) {
      if (bytes === 0) return undefined;
      throw databaseUnavailable("its secrets leave no room for entries within data.database.max_bytes");
    }
    this.#removeUpTo.run(last);
    return AGAIN;
  }

  /** The rowid up to which the oldest rows take this many bytes. */
  #lastOf(bytes: number): number | undefined {
    let left = bytes;
    const oldest = this.#oldest.rows();
    return (oldest.find((row) => (left -= row.bytes) <= 0) ?? oldest.at(-1))?.id;
  }
}
