import { type Clock, systemClock } from "../../src/core/clock.ts";
import { SqliteDatabase } from "../../src/store/sqlite_database.ts";
import { SqliteFile } from "../../src/store/sqlite_file.ts";

/** How long an operation of these files waits for a lock, in ms. */
export const WAIT_MS = 1_000;

/** A database without a file. */
export function memoryFile(clock: Clock): SqliteFile {
  return new SqliteFile(new SqliteDatabase(":memory:"), { clock, waitMs: WAIT_MS });
}

/** A database in a file, for this process alone. */
export async function openFile(path: string, clock: Clock = systemClock): Promise<SqliteFile> {
  const database = await SqliteDatabase.open(path, { clock: systemClock, owner: "process 1 on host test" });
  return new SqliteFile(database, { clock, waitMs: WAIT_MS });
}
