import type { SqliteDatabase, SqliteStatement } from "./database.ts";

/** Pages returned in one step: at worst each must be moved, 256 of them in about 5 ms. */
const STEP_PAGES = 256;

/** The file keeps this many free pages, or a quarter of its pages if that is more. */
const SPARED_PAGES = 256;

/** `PRAGMA auto_vacuum` of a file that can shrink without being rebuilt. */
const INCREMENTAL = 2;

/**
 * The pages of a database file. New rows reuse the pages of deleted ones; only shrinking returns pages to the disk.
 *
 *     | used | free | used | used | free | free |
 *       total = 6, used = 3; shrink(0) -> | used | used | used |
 */
export class SqlitePages {
  readonly #database: SqliteDatabase;
  readonly #total: SqliteStatement<{ readonly page_count: number }>;
  readonly #free: SqliteStatement<{ readonly freelist_count: number }>;
  readonly #vacuum: SqliteStatement;
  readonly #checkpoint: SqliteStatement;
  /** The size of one page, in bytes. */
  readonly pageBytes: number;

  constructor(database: SqliteDatabase) {
    this.#database = database;
    this.#total = database.statement("PRAGMA page_count");
    this.#free = database.statement("PRAGMA freelist_count");
    this.#vacuum = database.statement(`PRAGMA incremental_vacuum(${STEP_PAGES})`);
    this.#checkpoint = database.statement("PRAGMA wal_checkpoint(PASSIVE)");
    this.pageBytes = database.pragma("page_size");
  }

  get total(): number {
    return this.#total.rows()[0]!.page_count;
  }

  get free(): number {
    return this.#free.rows()[0]!.freelist_count;
  }

  get used(): number {
    return this.total - this.free;
  }

  /** Whether the file can return pages. A file of an earlier release must be rebuilt first. */
  get canShrink(): boolean {
    return this.#database.pragma("auto_vacuum") === INCREMENTAL;
  }

  /**
   * Returns some free pages to the disk if there are many, or if the file exceeds `maxPages`. True while more can be
   * returned.
   */
  shrink(maxPages: number): boolean {
    const { total, free } = this;
    const isOver = total > maxPages && free > 0;
    if (!isOver && free <= Math.max(SPARED_PAGES, total / 4)) return false;
    if (!this.canShrink) return false;
    this.#vacuum.rows();
    // The file becomes shorter only when the log is copied into it.
    this.#checkpoint.rows();
    return true;
  }
}
