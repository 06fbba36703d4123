import { ServiceError } from "../../core/errors.ts";
import { databaseUnavailable, type KnownEffect } from "../database_error.ts";
import { isUnreachable, withCauses } from "../error_causes.ts";

/** Error numbers of the server. Source: MySQL 8 and MariaDB, "Server Error Codes". */
const DEADLOCK = 1213;
const LOCK_WAIT_TIMEOUT = 1205;
const ACCESS_DENIED = [1044, 1045, 1142, 1698];
const NULL_IN_COLUMN = 1048;
const BAD_DATABASE = 1049;
const NO_SUCH_TABLE = 1146;
const BAD_COLUMN = 1054;
const READ_ONLY = 1290;
/** The server aborted a statement that it was already running, perhaps a commit. */
const INTERRUPTED = [
  1053, // the server shuts down
  1180, // an error during COMMIT
  1317, // the query was killed
  1927, // MariaDB: the connection was killed
  3169, // MySQL: the session was killed
];

const MIGRATE = "run `cacheserver migrate`";

/** Whether the server rolled the transaction back to free another one, so that it may be tried again. */
export function isDeadlock(error: unknown): boolean {
  return propertyOf(error, "errno") === DEADLOCK;
}

/** Whether other changes of the row blocked the statement; the server may serve the next one. */
export function isRowBusy(error: unknown): boolean {
  const errno = propertyOf(error, "errno");
  return errno === DEADLOCK || errno === LOCK_WAIT_TIMEOUT;
}

/** Whether a change with this error has no effect and never will: the server refused it or rolled it back. */
export function hasNoEffect(error: unknown): boolean {
  if (error instanceof ServiceError) return true;
  const errno = propertyOf(error, "errno");
  return typeof errno === "number" && errno > 0 && !INTERRUPTED.includes(errno);
}

/** Whether a row was refused because it has no secretID. */
export function isMissingSecretId(error: unknown): boolean {
  return propertyOf(error, "errno") === NULL_IN_COLUMN && error instanceof Error &&
    error.message.includes("secretID");
}

/** Whether the server offers no TLS. */
export function isWithoutTls(error: unknown): boolean {
  return propertyOf(error, "code") === "HANDSHAKE_NO_SSL_SUPPORT";
}

/** Whether the configured database does not exist. */
export function isMissingDatabase(error: unknown): boolean {
  return error instanceof ServiceError && propertyOf(error.cause, "errno") === BAD_DATABASE;
}

/** The configuration keys to check after this error, or undefined. */
export function mysqlKeysOf(error: unknown): string | undefined {
  for (const each of withCauses(error)) {
    const errno = propertyOf(each, "errno");
    if (ACCESS_DENIED.some((denied) => denied === errno)) return "data.database.source (user, password)";
    if (errno === BAD_DATABASE) return "data.database.source (database)";
    if (isWithoutTls(each)) return "data.database.source (tls)";
    if (isUnreachable(each)) return "data.database.source (address)";
  }
  return undefined;
}

/** The text of the driver's or server's error, for an operator; contains no password. */
export function reasonOf(error: unknown): string {
  const cause = error instanceof ServiceError && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  // Node's error for a name with several addresses has a code but no text.
  return cause.message || String(propertyOf(cause, "code"));
}

/**
 * The error for callers, in neutral words; the driver's error is its cause. Call it after the connection of the failed
 * statement is destroyed: only then can nothing commit the statement any more.
 */
export function mysqlUnavailable(error: unknown, effect?: KnownEffect): ServiceError {
  return error instanceof ServiceError ? error : databaseUnavailable(describe(error), error, effect);
}

function describe(error: unknown): string {
  const errno = propertyOf(error, "errno");
  if (error instanceof DOMException && error.name === "TimeoutError") return "it did not answer in time";
  if (isRowBusy(error)) return "other changes of the same row take too long";
  if (errno === BAD_DATABASE || errno === NO_SUCH_TABLE) return `its table is missing, ${MIGRATE}`;
  if (errno === BAD_COLUMN) return `its table is not upgraded, ${MIGRATE}`;
  if (errno === READ_ONLY) return "it is read-only";
  if (ACCESS_DENIED.some((denied) => denied === errno)) return "it refuses the account";
  // Errors of the server have a number; errors of the network have only a code.
  return typeof errno === "number" && errno > 0 ? "it refused the request" : "it could not be reached";
}

function propertyOf(error: unknown, name: string): unknown {
  return error instanceof Error ? Reflect.get(error, name) : undefined;
}
