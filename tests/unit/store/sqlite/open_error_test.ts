import { assertEquals } from "@std/assert";
import { sqliteOpenError } from "../../../../src/store/sqlite/open_error.ts";

const PATH = "/d/cache.db";
const ELSEWHERE = "name another file in data.database.source";

/** The error text after the name of the file. */
function said(cause: unknown): string {
  const { message, code, tier } = sqliteOpenError(PATH, cause);
  assertEquals([code, tier], ["store_unavailable", "database"]);
  const [before, after] = message.split(`Cannot open the database file ${PATH}: `);
  assertEquals(before, "");
  return after!;
}

Deno.test("sqliteOpenError() advises about rights only if rights are missing", () => {
  const { NotCapable, PermissionDenied, IsADirectory, NotADirectory, AlreadyExists } = Deno.errors;
  const cases = [
    [
      new PermissionDenied("Permission denied (os error 13): mkdir '/d'"),
      `this user may not write to /d (permission denied); make it writable, or ${ELSEWHERE}`,
    ],
    [
      new Error("Read-only file system (os error 30): open '/d/cache.db'"),
      `this user may not write to /d (read-only file system); make it writable, or ${ELSEWHERE}`,
    ],
    [
      new NotCapable('Requires write access to "/d", run again with the --allow-write flag'),
      `this process may not write to /d; ${ELSEWHERE}`,
    ],
    [new IsADirectory("Is a directory (os error 21)"), `it is a folder; ${ELSEWHERE}`],
    [new NotADirectory("x"), `a part of /d is a file, not a folder; ${ELSEWHERE}`],
    [new AlreadyExists("x"), `a part of /d is a file, not a folder; ${ELSEWHERE}`],
    [
      new Error("file is not a database"),
      `it is no SQLite database, or its beginning is damaged; ${ELSEWHERE}`,
    ],
    [
      new Error("database disk image is malformed"),
      "the file is damaged; put a backup in its place, or save what `sqlite3 FILE .recover` finds",
    ],
    [new Error("database is locked"), "another program has locked the file; end that program"],
    [new Error("database or disk is full"), "the disk is full; free some of it"],
    [new Error("No space left on device (os error 28): mkdir '/d'"), "the disk is full; free some of it"],
    [new Error("disk I/O error"), "the disk cannot be read or written; the system's log says why"],
    [
      new Error("unable to open database file: /d/cache.db"),
      `unable to open database file: /d/cache.db; make sure that /d can be written, or ${ELSEWHERE}`,
    ],
  ] as const;
  for (const [cause, expected] of cases) assertEquals(said(cause), expected);
});
