import type { SqliteDatabase, SqliteStatement } from "./database.ts";

/** Pages that one step gives back: at worst each has to be moved, 256 of them in about 5 ms. */
const STEP_PAGES = 256;

/** A file is left alone while it has fewer free pages than this, or than a quarter of all. */
const SPARED_PAGES = 256;

/** `PRAGMA auto_vacuum` of a file that can shrink without being rebuilt. */
const INCREMENTAL = 2;

type NoRow = Record<string, never>;

/**
 * The pages of a database file. What deleted rows had is free for new ones; only shrinking gives it back to the disk.
 *
 *     | used | free | used | used | free | free |
 *       total = 6, used = 3; shrink(0) -> | used | used | used |
 */
export class SqlitePages {
  readonly #database: SqliteDatabase;
  readonly #total: SqliteStatement<{ readonly page_count: number }>;
  readonly #free: SqliteStatement<{ readonly freelist_count: number }>;
  readonly #vacuum: SqliteStatement<NoRow>;
  readonly #checkpoint: SqliteStatement<NoRow>;
  /** The size of one, in bytes. */
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

  /** Whether the file can give pages back; one that an earlier release made is rebuilt first. */
  get canShrink(): boolean {
    return this.#database.pragma("auto_vacuum") === INCREMENTAL;
  }

  /**
   * Gives some free pages back to the disk if they are many, or if the file is over `maxPages`; returns whether there
   * is more to give.
   */
  shrink(maxPages: number): boolean {
    const { total, free } = this;
    const isOver = total > maxPages && free > 0;
    if (!isOver && free <= Math.max(SPARED_PAGES, total / 4)) return false;
    if (!this.canShrink) return false;
    this.#vacuum.rows();
    // The file itself becomes shorter when the log has been copied into it.
    this.#checkpoint.rows();
    return true;
  }
}
