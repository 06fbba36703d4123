import type { Clock } from "../../core/clock.ts";
import type { ServiceError } from "../../core/errors.ts";
import { databaseUnavailable, refuseAborted } from "../database_error.ts";
import type { SqliteDatabase, SqliteStatement, SqliteValue } from "./database.ts";
import { isDiskFull, isUnwritable } from "./errors.ts";
import type { OpenSqlite } from "./open.ts";
import { SqlitePages } from "./pages.ts";
import { type AGAIN, SqliteQueue } from "./queue.ts";

/** "CSdb" in SQLite's header says that CacheServer owns the file. The same in every release. */
const APPLICATION_ID = 0x43_53_64_62;

/** The clock and patience of a {@link SqliteFile}. */
export interface SqliteFileOptions {
  readonly clock: Clock;
  /** The longest that an operation waits while another program has the file locked. */
  readonly waitMs: number;
}

/** One operation, run within one turn of the event loop; {@link AGAIN} asks for another turn. */
export type SqliteWork<T> = () => T | typeof AGAIN;

/**
 * A database file as the stores use it. Reads run in their order of arrival, and so do changes; none waits within
 * SQLite. The file also tracks whether changes succeed.
 *
 * On a full disk it releases its reserve and runs only removals. All changes run again once the reserve is refilled.
 *
 *     writable --- no room ---> full: removals only --- recover(): reserve held, room left ---> writable
 */
export class SqliteFile implements Disposable {
  readonly pages: SqlitePages;
  readonly #opened: OpenSqlite;
  readonly #database: SqliteDatabase;
  readonly #reads: SqliteQueue;
  readonly #changes: SqliteQueue;
  readonly #begin: SqliteStatement;
  readonly #rollback: SqliteStatement;
  readonly #mark: SqliteStatement;
  readonly #emptyLog: SqliteStatement;
  #isFull: boolean;
  #refusal: Error | undefined;
  #onRefusal: (refusal: Error | undefined) => void = () => {};

  /** Owns `opened` from now on: disposing of the file closes it. */
  constructor(opened: OpenSqlite, { clock, waitMs }: SqliteFileOptions) {
    const { database, reserve } = opened;
    this.#opened = opened;
    this.#database = database;
    this.pages = new SqlitePages(database);
    this.#reads = new SqliteQueue(clock, waitMs);
    this.#changes = new SqliteQueue(clock, waitMs, (error) => this.#setRefusal(error));
    this.#begin = database.statement("BEGIN IMMEDIATE");
    this.#rollback = database.statement("ROLLBACK");
    this.#mark = database.statement(`PRAGMA application_id = ${APPLICATION_ID}`);
    this.#emptyLog = database.statement("PRAGMA wal_checkpoint(TRUNCATE)");
    this.#isFull = reserve?.isHeld === false;
    if (this.#isFull) this.#refusal = this.#diskFull();
  }

  /** Prepares a statement, valid until the file is closed. `Row` names the columns that it returns. */
  statement<Row extends Record<keyof Row, SqliteValue>>(sql: string): SqliteStatement<Row> {
    return this.#database.statement<Row>(sql);
  }

  /** Resolves to the result of `work`; rejects if the signal aborts before it runs. */
  read<T>(signal: AbortSignal, work: SqliteWork<T>): Promise<T> {
    return this.#reads.run(() => {
      refuseAborted(signal);
      return work();
    });
  }

  /** Resolves to the result of `work` once its changes are on the disk. Rejects while the disk is full. */
  write<T>(signal: AbortSignal, work: SqliteWork<T>): Promise<T> {
    return this.#changes.run(() => {
      refuseAborted(signal);
      if (this.#isFull) throw this.#diskFull();
      return this.#changed(work);
    });
  }

  /** Like {@link write}, for work that frees space: it also runs while the disk is full. */
  remove<T>(signal: AbortSignal, work: SqliteWork<T>): Promise<T> {
    return this.#changes.run(() => {
      refuseAborted(signal);
      return this.#changed(work);
    });
  }

  /** Calls `listener` with the reason while writes fail, and with undefined when they succeed again. */
  whenRefusalChanges(listener: (refusal: Error | undefined) => void): void {
    this.#onRefusal = listener;
    if (this.#refusal !== undefined) listener(this.#refusal);
  }

  /**
   * Checks whether writes succeed, also when no client writes. While they succeed, the check itself writes nothing to
   * the disk.
   */
  async checkWritable(): Promise<void> {
    if (this.#isFull) return;
    try {
      await this.#changes.run(() => {
        this.#changed(() => {
          if (this.#refusal !== undefined) return void this.#mark.rows();
          this.#begin.run();
          this.#rollback.run();
        });
      });
    } catch {
      // #changed() has reported it to the listener.
    }
    if (this.#opened.reserve?.hasRoom === false) this.#enterFull(this.#diskFull());
  }

  /** Returns free pages to the disk, all of them if the disk is full. True while more can be returned. */
  shrink(maxPages: number): boolean {
    return this.pages.shrink(this.#isFull ? 0 : maxPages);
  }

  /** Accepts writes again if the disk was full and has room now. */
  async recover(): Promise<void> {
    if (!this.#isFull) return;
    this.#tryEmptyLog();
    if (!await this.#opened.reserve?.fill()) return;
    this.#isFull = false;
    await this.checkWritable();
  }

  [Symbol.dispose](): void {
    this.#reads[Symbol.dispose]();
    this.#changes[Symbol.dispose]();
    this.#opened[Symbol.dispose]();
  }

  #changed<T>(work: SqliteWork<T>): T | typeof AGAIN {
    try {
      const result = work();
      if (!this.#isFull) this.#setRefusal(undefined);
      return result;
    } catch (error) {
      if (isDiskFull(error)) this.#enterFull(error as Error);
      else if (isUnwritable(error)) this.#setRefusal(error as Error);
      throw error;
    }
  }

  #enterFull(error: Error): void {
    if (this.#opened.reserve !== undefined && !this.#isFull) {
      this.#isFull = true;
      this.#opened.reserve.release();
      // First, while the released space is still free: copying the log may make the file longer.
      this.#tryEmptyLog();
    }
    this.#setRefusal(error);
  }

  #tryEmptyLog(): void {
    try {
      this.#emptyLog.rows();
    } catch {
      // The disk is too full, or a reader needs the log. The next recover() tries again.
    }
  }

  #setRefusal(refusal: Error | undefined): void {
    const isNews = (refusal === undefined) !== (this.#refusal === undefined);
    this.#refusal = refusal;
    if (isNews) this.#onRefusal(refusal);
  }

  #diskFull(): ServiceError {
    const mebibytes = (this.#opened.reserve?.resumeBytes ?? 0) / 2 ** 20;
    return databaseUnavailable(
      `its disk is full: writes resume once ${mebibytes} MiB are free beside its reserve`,
    );
  }
}
