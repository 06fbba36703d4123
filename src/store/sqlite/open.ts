import { dirname } from "node:path";
import { type Clock, pause } from "../../core/clock.ts";
import { SqliteDatabase } from "./database.ts";
import { isDiskFull, isLocked } from "./errors.ts";
import { SqliteLock, type SqliteLockOptions } from "./lock.ts";
import { sqliteOpenError } from "./open_error.ts";
import { SqlitePages } from "./pages.ts";
import { rebuild } from "./rebuild.ts";
import { SqliteReserve, type SqliteReserveSizes } from "./reserve.ts";

/** How long a start waits while another program locks the file, and the pause between attempts. */
const OPEN_WAIT_MS = 5_000;
const OPEN_PAUSE_MS = 50;

/** A file with at most this much in use is rebuilt at the start of the service, which takes about a second. */
const SMALL_BYTES = 64 * 2 ** 20;

/** How {@link openSqlite} locks, reserves and rebuilds. */
export interface SqliteOpenOptions extends SqliteLockOptions, SqliteReserveSizes {
  /**
   * Which files of an earlier release are rebuilt so that they can shrink: `small` ones only, and failures are
   * ignored; or `any`, and a failure is an error.
   */
  readonly rebuilds: "small" | "any";
}

/** A database and its reserve; disposing of it closes both and releases the lock. */
export interface OpenSqlite extends Disposable {
  readonly database: SqliteDatabase;
  /** Disk space for removing rows when the disk is full; undefined for `:memory:`. */
  readonly reserve: SqliteReserve | undefined;
  readonly isRebuilt: boolean;
}

/**
 * Opens the file for this process alone; creates it and its folder if they are missing. Locks it before it reads or
 * changes anything in it. `:memory:` ends with the process. Rejects with a one-line reason that names the file.
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

/** Opens the file once no other program locks it. A full disk costs the reserve: SQLite needs room for its index. */
async function whenUnlocked(path: string, reserve: SqliteReserve, clock: Clock): Promise<SqliteDatabase> {
  for (let waitedMs = 0;; waitedMs += OPEN_PAUSE_MS) {
    try {
      return new SqliteDatabase(path);
    } catch (error) {
      const mayRetry = isLocked(error) && waitedMs < OPEN_WAIT_MS || isDiskFull(error) && reserve.isHeld;
      if (!mayRetry) throw error;
      if (isDiskFull(error)) reserve.release();
    }
    await pause(OPEN_PAUSE_MS, clock);
  }
}

/** Closes the database, then rebuilds its file if it cannot shrink. */
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

/** Creates the file readable by its owner alone, for it holds secrets. SQLite copies the mode to its log. */
function makeFile(path: string): void {
  Deno.mkdirSync(dirname(path), { recursive: true });
  Deno.openSync(path, { write: true, create: true, mode: 0o600 }).close();
}
