import type { Clock } from "../../core/clock.ts";
import type { ServiceError } from "../../core/errors.ts";
import { databaseUnavailable, refuseAborted } from "../database_error.ts";
import type { SqliteDatabase, SqliteStatement, SqliteValue } from "./database.ts";
import { isDiskFull, isUnwritable } from "./errors.ts";
import type { OpenSqlite } from "./open.ts";
import { SqlitePages } from "./pages.ts";
import { type AGAIN, SqliteQueue } from "./queue.ts";

/** "CSdb": what SQLite's header has room for, to tell whose file it is. The same in every release. */
const APPLICATION_ID = 0x43_53_64_62;

type NoRow = Record<string, never>;

/** How a file is used. */
export interface SqliteFileOptions {
  readonly clock: Clock;
  /** The longest that an operation waits while another program has the file locked. */
  readonly waitMs: number;
}

/** What an operation does, within one turn of the event loop; {@link AGAIN} asks for another one. */
export type SqliteWork<T> = () => T | typeof AGAIN;

/**
 * A database file as the stores use it. Reads and changes run in the order in which they came, and none waits within
 * SQLite. It also knows whether changes are possible at present.
 *
 * A full disk: the reserve is given up, only removals go on, and once the reserve can be taken again all changes do.
 *
 *     writable --- no room ---> full: removals only --- recover(): reserve held, room left ---> writable
 */
export class SqliteFile implements Disposable {
  readonly pages: SqlitePages;
  readonly #opened: OpenSqlite;
  readonly #database: SqliteDatabase;
  readonly #reads: SqliteQueue;
  readonly #changes: SqliteQueue;
  readonly #begin: SqliteStatement<NoRow>;
  readonly #rollback: SqliteStatement<NoRow>;
  readonly #mark: SqliteStatement<NoRow>;
  readonly #emptyLog: SqliteStatement<NoRow>;
  #isFull: boolean;
  #refusal: Error | undefined;
  #onRefusal: (refusal: Error | undefined) => void = () => {};

  /** Takes over the database: disposing of the file closes it. */
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

  /** Resolves to what `work` has read. A caller that has gone by then gets a rejection. */
  read<T>(signal: AbortSignal, work: SqliteWork<T>): Promise<T> {
    return this.#reads.run(() => {
      refuseAborted(signal);
      return work();
    });
  }

  /** Resolves to what `work` returns, and not before its changes are on the disk. Rejects while that is full. */
  write<T>(signal: AbortSignal, work: SqliteWork<T>): Promise<T> {
    return this.#changes.run(() => {
      refuseAborted(signal);
      if (this.#isFull) throw this.#diskFull();
      return this.#changed(work);
    });
  }

  /** Like {@link write}, for work that makes room: it goes on while the disk is full. */
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
   * Finds out whether writes are possible, also while there are none. As long as they are possible, this writes
   * nothing to the disk.
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
      // The listener has heard of it.
    }
    if (this.#opened.reserve?.hasRoom === false) this.#enterFull(this.#diskFull());
  }

  /** Gives free pages back to the disk, all of them if that is full; returns whether there is more to give. */
  shrink(maxPages: number): boolean {
    return this.pages.shrink(this.#isFull ? 0 : maxPages);
  }

  /** Lets writes go on if the disk was full and has room again. */
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
      // First of all, as long as the reserve is there for it: what the log holds may make the file longer.
      this.#tryEmptyLog();
    }
    this.#setRefusal(error);
  }

  #tryEmptyLog(): void {
    try {
      this.#emptyLog.rows();
    } catch {
      // No room for that either, or a reader needs the log: the next recover() tries again.
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
      `its disk is full: writes go on once ${mebibytes} MiB are free beside its reserve`,
    );
  }
}
