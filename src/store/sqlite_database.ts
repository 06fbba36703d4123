/** The only file that imports the SQLite driver. */
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { ServiceError } from "../core/errors.ts";
import { databaseUnavailable } from "./database_error.ts";
import { sqliteOpenError } from "./sqlite_open_error.ts";
import { SQLITE_SCHEMA } from "./sqlite_schema.ts";

/** What a statement takes and what a row holds. Columns without a value are null. */
export type SqliteValue = string | number | Uint8Array | null;

/** How long a statement waits for another process that writes to the file; the whole process waits with it. */
const BUSY_TIMEOUT_MS = 1_000;

/** "CSdb": what SQLite's header has room for, to tell whose file it is. The same in every release. */
const APPLICATION_ID = 0x43_53_64_62;

/**
 * A database file, opened and brought to the present schema by the constructor and closed by its owner.
 *
 * `synchronous=FULL` waits for the disk at each commit. With NORMAL a power failure would take back the last
 * commits: secrets that were acknowledged, and deletes.
 */
export class SqliteDatabase implements Disposable {
  readonly #database: DatabaseSync;

  /** Opens the file, made together with its folder if missing. `:memory:` keeps nothing. */
  constructor(path: string) {
    this.#database = open(path);
  }

  /** Prepares a statement, valid until the database is closed. `Row` names the columns that it returns. */
  statement<Row extends Record<keyof Row, SqliteValue>>(sql: string): SqliteStatement<Row> {
    return new SqliteStatement<Row>(this.#database.prepare(sql));
  }

  /**
   * Throws a ServiceError when nothing can be written: the disk is full, the file is read-only or locked. It finds out
   * by writing what stands there already, and waits for nobody.
   */
  checkWritable(): void {
    attempt(() => {
      this.#database.exec("PRAGMA busy_timeout = 0");
      try {
        this.#database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
      } finally {
        this.#database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
      }
    });
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
    if (path !== ":memory:") makeFile(path);
    database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    upgrade(database, path);
    return database;
  } catch (error) {
    database?.close();
    throw error instanceof ServiceError ? error : sqliteOpenError(path, error);
  }
}

/** It will hold secrets, so nobody else may read it; SQLite gives the files beside it the same mode. */
function makeFile(path: string): void {
  Deno.mkdirSync(dirname(path), { recursive: true });
  Deno.openSync(path, { write: true, create: true, mode: 0o600 }).close();
}

/** Takes the steps that the file has not taken yet, in one transaction that shuts out other processes. */
function upgrade(database: DatabaseSync, path: string): void {
  database.exec("BEGIN IMMEDIATE");
  const taken = Number(database.prepare("PRAGMA user_version").get()?.user_version);
  if (taken > SQLITE_SCHEMA.length) {
    throw new ServiceError(
      "store_unavailable",
      `Cannot open the database file ${path}: its schema is version ${taken}, expected at most ` +
        `${SQLITE_SCHEMA.length}; use the release that wrote it or a later one`,
      { tier: "database" },
    );
  }
  for (const step of SQLITE_SCHEMA.slice(taken)) database.exec(step);
  if (taken < SQLITE_SCHEMA.length) database.exec(`PRAGMA user_version = ${SQLITE_SCHEMA.length}`);
  database.exec("COMMIT");
}
