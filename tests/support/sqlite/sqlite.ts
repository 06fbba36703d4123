import { type Clock, systemClock } from "../../../src/core/clock.ts";
import { SqliteDatabase } from "../../../src/store/sqlite/database.ts";
import { openSqlite, type SqliteOpenOptions } from "../../../src/store/sqlite/open.ts";
import { SqliteFile } from "../../../src/store/sqlite/file.ts";

/** How long an operation of these files waits for a lock, in ms. */
export const WAIT_MS = 1_000;

/** How these files are opened; the reserve is small. */
export const OPEN: SqliteOpenOptions = {
  clock: systemClock,
  owner: "process 1 on host test",
  reserveBytes: 2 ** 16,
  roomBytes: 2 ** 16,
  rebuilds: "small",
};

/** Options of entries, without a size limit. */
export const ENTRIES = { maxBytes: Infinity, observer: { purgeFailed: () => {} } };

/** A database without a file. */
export function memoryFile(clock: Clock): SqliteFile {
  const database = new SqliteDatabase(":memory:");
  const opened = {
    database,
    reserve: undefined,
    isRebuilt: false,
    [Symbol.dispose]: () => database[Symbol.dispose](),
  };
  return new SqliteFile(opened, { clock, waitMs: WAIT_MS });
}

/** A database in a file, for this process alone. */
export async function openFile(path: string, clock: Clock = systemClock): Promise<SqliteFile> {
  return new SqliteFile(await openSqlite(path, OPEN), { clock, waitMs: WAIT_MS });
}
