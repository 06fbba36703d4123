import { dirname } from "node:path";
import type { Clock } from "../../core/clock.ts";
import { SqliteDatabase } from "./database.ts";
import { isDiskFull, isLocked } from "./errors.ts";
import { SqliteLock, type SqliteLockOptions } from "./lock.ts";
import { sqliteOpenError } from "./open_error.ts";
import { SqlitePages } from "./pages.ts";
import { rebuild } from "./rebuild.ts";
import { SqliteReserve, type SqliteReserveSizes } from "./reserve.ts";

/** How long a start waits for another program that has the file locked, and how often it looks. */
const OPEN_WAIT_MS = 5_000;
const OPEN_PAUSE_MS = 50;

/** The most that a file may have in use to be rebuilt at the start of the service: it takes about a second. */
const SMALL_BYTES = 64 * 2 ** 20;

/** How a file is opened. */
export interface SqliteOpenOptions extends SqliteLockOptions, SqliteReserveSizes {
  /**
   * Which files of an earlier release are rebuilt so that they can shrink: `small` ones, where that works, or `any`,
   * where a failure is an error.
   */
  readonly rebuilds: "small" | "any";
}

/** A database with what lies beside its file; disposing of it closes all of them. */
export interface OpenSqlite extends Disposable {
  readonly database: SqliteDatabase;
  /** Space on the disk for removing rows when it is full; undefined without a file. */
  readonly reserve: SqliteReserve | undefined;
  readonly isRebuilt: boolean;
}

/**
 * Opens the file, made together with its folder if missing, for this process alone. Nothing in it is read or changed
 * before it is locked. `:memory:` keeps nothing. Rejects with a one-line reason that names the file.
 */
export async function openSqlite(path: string, options: SqliteOpenOptions): Promise<OpenSqlite> {
  using resources = new DisposableStack();
  if (path === ":memory:") {
    const database = resources.use(new SqliteDatabase(path));
    return owned({ database, reserve: undefined, isRebuilt: false }, resources.move());
  }
  try {
    makeFile(path);
    resources.use(await SqliteLock.take(path, options));
    const realPath = Deno.realPathSync(path);
    const reserve = resources.use(new SqliteReserve(`${realPath}.reserve`, options));
    const isRebuilt = rebuildIfDue(await whenUnlocked(path, reserve, options.clock), realPath, options);
    const database = resources.use(await whenUnlocked(path, reserve, options.clock));
    await reserve.fill();
    return owned({ database, reserve, isRebuilt }, resources.move());
  } catch (error) {
    throw sqliteOpenError(path, error);
  }
}

function owned(parts: Omit<OpenSqlite, typeof Symbol.dispose>, resources: DisposableStack): OpenSqlite {
  return { ...parts, [Symbol.dispose]: () => resources.dispose() };
}

/** SQLite itself does not wait for the lock of another program, and needs room for the index of its log. */
async function whenUnlocked(path: string, reserve: SqliteReserve, clock: Clock): Promise<SqliteDatabase> {
  for (let waitedMs = 0;; waitedMs += OPEN_PAUSE_MS) {
    try {
      return new SqliteDatabase(path);
    } catch (error) {
      const mayRetry = isLocked(error) && waitedMs < OPEN_WAIT_MS || isDiskFull(error) && reserve.isHeld;
      if (!mayRetry) throw error;
      if (isDiskFull(error)) reserve.release();
    }
    await new Promise<void>((resolve) => clock.setTimer(resolve, OPEN_PAUSE_MS));
  }
}

/** Closes the database, and rebuilds its file if it cannot shrink. */
function rebuildIfDue(database: SqliteDatabase, path: string, options: SqliteOpenOptions): boolean {
  const pages = new SqlitePages(database);
  const isDue = !pages.canShrink &&
    (options.rebuilds === "any" || pages.used * pages.pageBytes <= SMALL_BYTES);
  database[Symbol.dispose]();
  if (!isDue) return false;
  try {
    rebuild(path, options.clock);
    return true;
  } catch (error) {
    if (options.rebuilds === "any") throw error;
    return false;
  }
}

/** It will hold secrets, so only its owner may read it; SQLite gives the files beside it the same mode. */
function makeFile(path: string): void {
  Deno.mkdirSync(dirname(path), { recursive: true });
  Deno.openSync(path, { write: true, create: true, mode: 0o600 }).close();
}
