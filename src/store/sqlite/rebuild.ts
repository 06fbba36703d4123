import { dirname } from "node:path";
import type { Clock } from "../../core/clock.ts";
import { SqliteDatabase, type SqliteValue } from "./database.ts";

/** Rows copied in one transaction. */
const STEP_ROWS = 100;

type Row = Readonly<Record<string, SqliteValue>>;

/**
 * Rewrites a database file without expired entries, so that it can shrink from now on. SQLite's own VACUUM would need
 * permission to open any file.
 *
 * `<file>.new` replaces the file in one step at the end; an earlier failure changes nothing. Only this process may read
 * the new file. It needs as much disk space as the old file has in use.
 */
export function rebuild(path: string, clock: Clock): void {
  const newPath = `${path}.new`;
  removeFiles(newPath);
  try {
    Deno.openSync(newPath, { write: true, create: true, mode: 0o600 }).close();
    copyFile(path, newPath, clock);
    // Closing copies the log into the file, unless another program reads it.
    if (exists(`${path}-wal`)) throw new Error(`another program has ${path} open`);
    Deno.renameSync(newPath, path);
    // The rename must reach the disk before new content does.
    using folder = Deno.openSync(dirname(path));
    folder.syncSync();
  } finally {
    removeFiles(newPath);
  }
}

function copyFile(path: string, newPath: string, clock: Clock): void {
  using from = new SqliteDatabase(path);
  using to = new SqliteDatabase(newPath);
  copyRows(from, to, "entry", `(expiresAtMs IS NULL OR expiresAtMs > ${clock.now()})`);
  copyRows(from, to, "secret", "TRUE");
  // Ids of deleted secrets must not be reused.
  to.statement("DELETE FROM sqlite_sequence").run();
  copyRows(from, to, "sqlite_sequence", "TRUE");
}

function copyRows(from: SqliteDatabase, to: SqliteDatabase, table: string, condition: string): void {
  const read = from.statement<Row>(
    `SELECT rowid AS rowid_, * FROM ${table} WHERE rowid > ? AND ${condition} ORDER BY rowid LIMIT ${STEP_ROWS}`,
  );
  const begin = to.statement("BEGIN IMMEDIATE");
  const commit = to.statement("COMMIT");
  for (let last: SqliteValue = 0;;) {
    const rows = read.rows(last);
    const [first] = rows;
    if (first === undefined) return;
    const columns = Object.keys(first).filter((name) => name !== "rowid_");
    const write = to.statement(
      `INSERT INTO ${table} (rowid, ${columns}) VALUES (?, ${columns.map(() => "?")})`,
    );
    begin.run();
    for (const row of rows) write.run(row.rowid_!, ...columns.map((name) => row[name]!));
    commit.run();
    last = rows.at(-1)!.rowid_!;
  }
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).size >= 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function removeFiles(path: string): void {
  for (const each of [path, `${path}-wal`, `${path}-shm`]) {
    if (exists(each)) Deno.removeSync(each);
  }
}
