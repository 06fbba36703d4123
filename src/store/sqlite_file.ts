import type { Clock } from "../core/clock.ts";
import { refuseAborted } from "./database_error.ts";
import type { SqliteDatabase, SqliteStatement, SqliteValue } from "./sqlite_database.ts";
import { isUnwritable } from "./sqlite_errors.ts";
import { type AGAIN, SqliteQueue } from "./sqlite_queue.ts";

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
 * A database file as the stores use it: reads and changes, each in the order in which they came, none of which waits
 * within SQLite; and whether changes are possible at present.
 */
export class SqliteFile implements Disposable {
  readonly #database: SqliteDatabase;
  readonly #reads: SqliteQueue;
  readonly #changes: SqliteQueue;
  readonly #begin: SqliteStatement<NoRow>;
  readonly #rollback: SqliteStatement<NoRow>;
  readonly #mark: SqliteStatement<NoRow>;
  #refusal: Error | undefined;
  #onRefusal: (refusal: Error | undefined) => void = () => {};

  /** Takes over the database: disposing of the file closes it. */
  constructor(database: SqliteDatabase, { clock, waitMs }: SqliteFileOptions) {
    this.#database = database;
    this.#reads = new SqliteQueue(clock, waitMs);
    this.#changes = new SqliteQueue(clock, waitMs, (error) => this.#setRefusal(error));
    this.#begin = database.statement("BEGIN IMMEDIATE");
    this.#rollback = database.statement("ROLLBACK");
    this.#mark = database.statement(`PRAGMA application_id = ${APPLICATION_ID}`);
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

  /** Resolves to what `work` returns, and not before its changes are on the disk. */
  change<T>(signal: AbortSignal, work: SqliteWork<T>): Promise<T> {
    return this.#changes.run(() => {
      refuseAborted(signal);
      return this.#changed(work);
    });
  }

  /** Calls `listener` with the reason when changes begin to fail, and with undefined when they succeed again. */
  whenRefusalChanges(listener: (refusal: Error | undefined) => void): void {
    this.#onRefusal = listener;
  }

  /**
   * Finds out whether changes are possible, for a listener that would not hear of it while nobody makes any. As long
   * as they are, this writes nothing to the disk.
   */
  async checkWritable(): Promise<void> {
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
  }

  [Symbol.dispose](): void {
    this.#reads[Symbol.dispose]();
    this.#changes[Symbol.dispose]();
    this.#database[Symbol.dispose]();
  }

  #changed<T>(work: SqliteWork<T>): T | typeof AGAIN {
    try {
      const result = work();
      this.#setRefusal(undefined);
      return result;
    } catch (error) {
      if (isUnwritable(error)) this.#setRefusal(error as Error);
      throw error;
    }
  }

  #setRefusal(refusal: Error | undefined): void {
    const isNews = (refusal === undefined) !== (this.#refusal === undefined);
    this.#refusal = refusal;
    if (isNews) this.#onRefusal(refusal);
  }
}
