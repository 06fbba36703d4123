/** The only file that imports the SQLite driver. */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { ServiceError } from "../../core/errors.ts";
import { databaseUnavailable } from "../database_error.ts";
import { sqliteOpenError } from "./open_error.ts";
import { SQLITE_SCHEMA } from "./schema.ts";

/** What a statement takes and what a row holds. Columns without a value are null. */
export type SqliteValue = string | number | Uint8Array | null;

/**
 * The length of the log, in pages of 4 KiB, at which it is copied into the file. A longer one would make commits no
 * faster, and the reserve has to have room for it.
 */
const LOG_PAGES = 256;

/**
 * A database file, opened and brought to the present schema by the constructor and closed by its owner.
 *
 * `synchronous=FULL` waits for the disk at each commit. With NORMAL a power failure would take back the last
 * commits: secrets that were acknowledged, and deletes.
 */
export class SqliteDatabase implements Disposable {
  readonly #database: DatabaseSync;

  /** Opens an existing file, or `:memory:`, which keeps nothing. */
  constructor(path: string) {
    this.#database = open(path);
  }

  /** Prepares a statement, valid until the database is closed. `Row` names the columns that it returns. */
  statement<Row extends Record<keyof Row, SqliteValue>>(sql: string): SqliteStatement<Row> {
    return new SqliteStatement<Row>(this.#database.prepare(sql));
  }

  /** The number that a setting has. */
  pragma(name: string): number {
    const [row] = this.statement<Record<string, number>>(`PRAGMA ${name}`).rows();
    return Object.values(row ?? {})[0] ?? 0;
  }

  [Symbol.dispose](): void {
    if (this.#database.isOpen) this.#database.close();
  }
}

/** A prepared statement. Values and rows are copies on both ways; a failure is a {@link ServiceError}. */
export class SqliteStatement<Row extends Record<keyof Row, SqliteValue>> {
  readonly #statement: StatementSync;

  constructor(statement: StatementSync) {
    this.#statement = statement;
  }

  /** The rows, all of them: a statement that is not run to its end has not committed what it returns. */
  rows(...values: SqliteValue[]): Row[] {
    return attempt(() => this.#statement.all(...values) as Row[]);
  }

  /** Runs a statement without rows and returns how many it has changed. */
  run(...values: SqliteValue[]): number {
    return attempt(() => Number(this.#statement.run(...values).changes));
  }
}

function attempt<T>(use: () => T): T {
  try {
    return use();
  } catch (error) {
    throw databaseUnavailable("its file could not be read or written", error);
  }
}

function open(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    // Waiting within SQLite would stop the whole process.
    database = new DatabaseSync(path, { timeout: 0 });
    // Only of a file that has no tables yet: it can then give back what deleted rows had.
    database.prepare("PRAGMA auto_vacuum = INCREMENTAL").all();
    // Prepared: the driver's error of exec() does not say that the file is locked.
    database.prepare("PRAGMA journal_mode = WAL").all();
    database.prepare("PRAGMA synchronous = FULL").all();
    database.prepare(`PRAGMA wal_autocheckpoint = ${LOG_PAGES}`).all();
    upgrade(database, path);
    return database;
  } catch (error) {
    database?.close();
    throw sqliteOpenError(path, error);
  }
}

/** Takes the steps that the file has not taken yet, in one transaction. An up-to-date file is not written to. */
function upgrade(database: DatabaseSync, path: string): void {
  const taken = Number(database.prepare("PRAGMA user_version").get()?.user_version);
  if (taken > SQLITE_SCHEMA.length) {
    throw new ServiceError(
      "store_unavailable",
      `Cannot open the database file ${path}: its schema is version ${taken}, expected at most ` +
        `${SQLITE_SCHEMA.length}; use the release that wrote it or a later one`,
      { tier: "database" },
    );
  }
  if (taken === SQLITE_SCHEMA.length) return;
  database.prepare("BEGIN IMMEDIATE").run();
  for (const step of SQLITE_SCHEMA.slice(taken)) database.exec(step);
  database.exec(`PRAGMA user_version = ${SQLITE_SCHEMA.length}; COMMIT`);
}
