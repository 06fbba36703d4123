import type { Clock } from "../../core/clock.ts";
import { databaseUnavailable } from "../database_error.ts";
import type { SqliteStatement } from "./database.ts";
import { ExpiredRows, STEP_ROWS } from "./expired.ts";
import type { SqliteFile } from "./file.ts";
import { AGAIN } from "./queue.ts";

/** Rows beyond need that a step removes while it is at it, in bytes. */
const SLACK_BYTES = 2 ** 16;

/** What a row may take beside its value: its key, index entries and parts of pages that stay empty, in pages. */
const OVERHEAD_PAGES = 8;

type NoRow = Record<string, never>;

/** The length of a value is in its row's header: the value itself is not read. */
const OLDEST = `SELECT rowid AS id, length(value) AS bytes FROM entry ORDER BY rowid LIMIT ${STEP_ROWS}`;

const REMOVE_UP_TO = "DELETE FROM entry WHERE rowid <= ?";

/**
 * Keeps a database file below a size: expired entries go first, then those written longest ago, never secrets. A row
 * that is written gets the highest rowid, so rowids are in the order of writing.
 */
export class SqliteSizeLimit {
  /** The pages that the limit has room for; Infinity for no limit. */
  readonly maxPages: number;
  readonly #file: SqliteFile;
  readonly #expired: ExpiredRows;
  readonly #oldest: SqliteStatement<{ readonly id: number; readonly bytes: number }>;
  readonly #removeUpTo: SqliteStatement<NoRow>;

  /** `maxBytes` is Infinity for no limit. */
  constructor(file: SqliteFile, clock: Clock, maxBytes: number) {
    this.#file = file;
    this.maxPages = Math.floor(maxBytes / file.pages.pageBytes);
    this.#expired = new ExpiredRows(file, clock);
    this.#oldest = file.statement(OLDEST);
    this.#removeUpTo = file.statement(REMOVE_UP_TO);
  }

  /** Removes a few rows while a value of `bytes` does not fit, and asks to be called again: {@link AGAIN}. */
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

  /** The last of the oldest rows that take so many bytes together. */
  #lastOf(bytes: number): number | undefined {
    let left = bytes;
    const oldest = this.#oldest.rows();
    return (oldest.find((row) => (left -= row.bytes) <= 0) ?? oldest.at(-1))?.id;
  }
}
