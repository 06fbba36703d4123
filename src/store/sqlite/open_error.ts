import { dirname, resolve } from "node:path";
import { ServiceError } from "../../core/errors.ts";

const ELSEWHERE = "name another file in data.database.source";

/** Advice for an operator by fixed parts of error texts. Source: sqlite3ErrStr() of SQLite, strerror(3). */
const KNOWN_FAULTS: readonly (readonly [text: string, fault: string])[] = [
  ["file is not a database", `it is no SQLite database, or its beginning is damaged; ${ELSEWHERE}`],
  ["malformed", "the file is damaged; put a backup in its place, or save what `sqlite3 FILE .recover` finds"],
  ["is locked", "another program has locked the file; end that program"],
  ["disk is full", "the disk is full; free some of it"],
  ["No space left", "the disk is full; free some of it"],
  ["I/O error", "the disk cannot be read or written; the system's log says why"],
  ["readonly database", `this user may not write the file; make it writable, or ${ELSEWHERE}`],
];

/**
 * The error of a database file that cannot be opened, in one line: the file, the fault, the remedy. Returns a
 * {@link ServiceError} unchanged.
 */
export function sqliteOpenError(path: string, cause: unknown): ServiceError {
  if (cause instanceof ServiceError) return cause;
  const absolute = resolve(path);
  const text = `Cannot open the database file ${absolute}: ${faultOf(absolute, cause)}`;
  return new ServiceError("store_unavailable", text, { cause, tier: "database" });
}

function faultOf(path: string, cause: unknown): string {
  const folder = dirname(path);
  // Deno's own text advises flags that the executable does not take.
  if (cause instanceof Deno.errors.NotCapable) return `this process may not write to ${folder}; ${ELSEWHERE}`;
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof Deno.errors.PermissionDenied || isReadOnly(reason)) {
    return `this user may not write to ${folder} (${
      systemReason(reason)
    }); make it writable, or ${ELSEWHERE}`;
  }
  if (cause instanceof Deno.errors.IsADirectory) return `it is a folder; ${ELSEWHERE}`;
  if (cause instanceof Deno.errors.NotADirectory || cause instanceof Deno.errors.AlreadyExists) {
    return `a part of ${folder} is a file, not a folder; ${ELSEWHERE}`;
  }
  const known = KNOWN_FAULTS.find(([text]) => reason.includes(text));
  return known?.[1] ?? `${systemReason(reason)}; make sure that ${folder} can be written, or ${ELSEWHERE}`;
}

function isReadOnly(reason: string): boolean {
  return reason.startsWith("Read-only file system");
}

/** The system's words, without Deno's suffix: `Permission denied (os error 13): mkdir '/x'`. */
function systemReason(reason: string): string {
  return /^(.*?) \(os error \d+\)/.exec(reason)?.[1]?.toLowerCase() ?? reason;
}
