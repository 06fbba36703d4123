/** The only file that imports the SQLite driver. */
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Clock } from "../core/clock.ts";
import { ServiceError } from "../core/errors.ts";
import { databaseUnavailable } from "./database_error.ts";
import { isLocked } from "./sqlite_errors.ts";
import { SqliteLock, type SqliteLockOptions } from "./sqlite_lock.ts";
import { SQLITE_SCHEMA } from "./sqlite_schema.ts";

/** What a statement takes and what a row holds. Columns without a value are null. */
export type SqliteValue = string | number | Uint8Array | null;

/** How long a start waits for another program that has the file locked, and how often it looks. */
const OPEN_WAIT_MS = 5_000;
const OPEN_PAUSE_MS = 50;

/**
 * A database file, opened and brought to the present schema by the constructor and closed by its owner.
 *
 * `synchronous=FULL` waits for the disk at each commit. With NORMAL a power failure would take back the last
 * commits: secrets that were acknowledged, and deletes.
 */
export class SqliteDatabase implements Disposable {
  readonly #database: DatabaseSync;
  readonly #lock: SqliteLock | undefined;

  /** Opens an existing file, or `:memory:`, which keeps nothing. */
  constructor(path: string, lock?: SqliteLock) {
    this.#database = open(path);
    this.#lock = lock;
  }

  /**
   * Opens the file, made together with its folder if missing, for this process alone. Nothing in it is read or changed
   * before it is locked.
   */
  static async open(path: string, options: SqliteLockOptions): Promise<SqliteDatabase> {
    if (path === ":memory:") return new SqliteDatabase(path);
    const lock = await lockFile(path, options);
    try {
      return await openUnlocked(path, lock, options.clock);
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }

  /** Prepares a statement, valid until the database is closed. `Row` names the columns that it returns. */
  statement<Row extends Record<keyof Row, SqliteValue>>(sql: string): SqliteStatement<Row> {
    return new SqliteStatement<Row>(this.#database.prepare(sql));
  }

  [Symbol.dispose](): void {
    if (this.#database.isOpen) this.#database.close();
    this.#lock?.[Symbol.dispose]();
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
    // Prepared: the driver's error of exec() does not say that the file is locked.
    database.prepare("PRAGMA journal_mode = WAL").all();
    database.prepare("PRAGMA synchronous = FULL").all();
    upgrade(database, path);
    return database;
  } catch (error) {
    database?.close();
    throw cannotOpen(path, error);
  }
}

/** SQLite itself does not wait for the lock of another program. */
async function openUnlocked(path: string, lock: SqliteLock, clock: Clock): Promise<SqliteDatabase> {
  for (let waitedMs = 0;; waitedMs += OPEN_PAUSE_MS) {
    try {
      return new SqliteDatabase(path, lock);
    } catch (error) {
      if (!isLocked(error) || waitedMs >= OPEN_WAIT_MS) throw error;
    }
    await new Promise<void>((resolve) => clock.setTimer(resolve, OPEN_PAUSE_MS));
  }
}

async function lockFile(path: string, options: SqliteLockOptions): Promise<SqliteLock> {
  try {
    makeFile(path);
    return await SqliteLock.take(path, options);
  } catch (error) {
    throw cannotOpen(path, error);
  }
}

function cannotOpen(path: string, error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new ServiceError(
    "store_unavailable",
    `Cannot open the database file ${path}: ${reason}; ` +
      "make its folder writable, or name another file in data.database.source",
    { cause: error, tier: "database" },
  );
}

/** It will hold secrets, so nobody else may read it; SQLite gives the files beside it the same mode. */
function makeFile(path: string): void {
  Deno.mkdirSync(dirname(path), { recursive: true });
  Deno.openSync(path, { write: true, create: true, mode: 0o600 }).close();
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
