/** Classifies failures by SQLite's result code. Source: sqlite.org/rescode.html. */
import { ServiceError } from "../../core/errors.ts";

const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;
/** The shared-memory index of the log could not grow. */
const SQLITE_IOERR_SHMSIZE = SQLITE_IOERR | 19 << 8;

/** Codes that mean: the file accepts no change at all. */
const UNWRITABLE = [
  SQLITE_READONLY,
  SQLITE_IOERR,
  SQLITE_CORRUPT,
  SQLITE_FULL,
  SQLITE_CANTOPEN,
  SQLITE_NOTADB,
];

/** Whether another program holds the lock. Nothing was done, and a retry may succeed. */
export function isLocked(error: unknown): boolean {
  const code = codeOf(error);
  return code === SQLITE_BUSY || code === SQLITE_LOCKED;
}

/** Whether the disk is full. */
export function isDiskFull(error: unknown): boolean {
  return codeOf(error) === SQLITE_FULL || extendedCodeOf(error) === SQLITE_IOERR_SHMSIZE;
}

/** Whether the file or its disk is at fault, rather than the statement. */
export function isUnwritable(error: unknown): boolean {
  return UNWRITABLE.includes(codeOf(error) ?? 0);
}

/** The primary result code. */
function codeOf(error: unknown): number | undefined {
  const code = extendedCodeOf(error);
  return code === undefined ? undefined : code & 0xff;
}

/** The extended result code of the driver's error, or of a {@link ServiceError} that it caused. */
function extendedCodeOf(error: unknown): number | undefined {
  const cause = error instanceof ServiceError ? error.cause : error;
  if (!(cause instanceof Error) || !("errcode" in cause)) return undefined;
  return typeof cause.errcode === "number" ? cause.errcode : undefined;
}
