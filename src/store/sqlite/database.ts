/** The only file that imports the SQLite driver. */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { ServiceError } from "../../core/errors.ts";
import { databaseUnavailable } from "../database_error.ts";
import { sqliteOpenError } from "./open_error.ts";
import { SQLITE_SCHEMA } from "./schema.ts";

/** A parameter of a statement or a column of a row; null for a column without a value. */
export type SqliteValue = string | number | Uint8Array | null;

/**
 * The log is copied into the file when it reaches this length, in pages of 4 KiB. A longer log makes commits no faster,
 * and the reserve must have room for it.
 */
const LOG_PAGES = 256;

/**
 * A database file. The constructor opens it and brings it to the current schema; its owner closes it.
 *
 * `synchronous=FULL` waits for the disk at each commit. With NORMAL a power failure could undo acknowledged secrets and
 * deletes.
 */
export class SqliteDatabase implements Disposable {
  readonly #database: DatabaseSync;

  /** Opens an existing file, or `:memory:`, whose content ends with the process. */
  constructor(path: string) {
    this.#database = open(path);
  }

  /** Prepares a statement, valid until the database is closed. `Row` names its result columns. */
  statement<Row extends Record<keyof Row, SqliteValue>>(sql: string): SqliteStatement<Row> {
    return new SqliteStatement<Row>(this.#database.prepare(sql));
  }

  /** The value of a numeric setting. */
  pragma(name: string): number {
    const [row] = this.statement<Record<string, number>>(`PRAGMA ${name}`).rows();
    return Object.values(row ?? {})[0] ?? 0;
  }

  [Symbol.dispose](): void {
    if (this.#database.isOpen) this.#database.close();
  }
}

/** A prepared statement. Parameters and rows are copied; a failure is a {@link ServiceError}. */
export class SqliteStatement<Row extends Record<keyof Row, SqliteValue> = Record<string, never>> {
  readonly #statement: StatementSync;

  constructor(statement: StatementSync) {
    this.#statement = statement;
  }

  /** All rows of the result. A statement that stops early does not commit the rows it returned. */
  rows(...values: SqliteValue[]): Row[] {
    return attempt(() => this.#statement.all(...values) as Row[]);
  }

  /** Runs a statement that returns no rows; returns the number of changed rows. */
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
    // A wait within SQLite would block the event loop.
    database = new DatabaseSync(path, { timeout: 0 });
    // Takes effect only in a file without tables. Such a file can shrink later.
    database.prepare("PRAGMA auto_vacuum = INCREMENTAL").all();
    // Prepared, because the driver's error of exec() does not tell that the file is locked.
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

/** Runs the missing schema steps in one transaction. An up-to-date file is not written to. */
function upgrade(database: DatabaseSync, path: string): void {
  const version = Number(database.prepare("PRAGMA user_version").get()?.user_version);
  if (version > SQLITE_SCHEMA.length) {
    throw new ServiceError(
      "store_unavailable",
      `Cannot open the database file ${path}: its schema is version ${version}, expected at most ` +
        `${SQLITE_SCHEMA.length}; use the release that wrote it or a later one`,
      { tier: "database" },
    );
  }
  if (version === SQLITE_SCHEMA.length) return;
  database.prepare("BEGIN IMMEDIATE").run();
  for (const step of SQLITE_SCHEMA.slice(version)) database.exec(step);
  database.exec(`PRAGMA user_version = ${SQLITE_SCHEMA.length}; COMMIT`);
}
