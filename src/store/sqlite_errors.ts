/** What SQLite's result codes say of a failure. Source: sqlite.org/rescode.html. */
import { ServiceError } from "../core/errors.ts";

const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;

/** Codes of a file that takes no changes, whatever they are. */
const UNWRITABLE = [
  SQLITE_READONLY,
  SQLITE_IOERR,
  SQLITE_CORRUPT,
  SQLITE_FULL,
  SQLITE_CANTOPEN,
  SQLITE_NOTADB,
];

/** Whether another program holds the lock that was needed: nothing was done, and the same may be tried again. */
export function isLocked(error: unknown): boolean {
  const code = codeOf(error);
  return code === SQLITE_BUSY || code === SQLITE_LOCKED;
}

/** Whether the failure lies in the file or its disk, not in the statement. */
export function isUnwritable(error: unknown): boolean {
  return UNWRITABLE.includes(codeOf(error) ?? 0);
}

/** The primary result code of the driver's error, or of what it caused; undefined of other errors. */
function codeOf(error: unknown): number | undefined {
  const cause = error instanceof ServiceError ? error.cause : error;
  if (!(cause instanceof Error) || !("errcode" in cause)) return undefined;
  return typeof cause.errcode === "number" ? cause.errcode & 0xff : undefined;
}
