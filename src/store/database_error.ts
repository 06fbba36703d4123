import { ServiceError } from "../core/errors.ts";

/**
 * The error of a database that could not answer: nothing is known of the row, or, unless the change `hadNoEffect`, of
 * its outcome.
 */
export function databaseUnavailable(what: string, cause?: unknown, hadNoEffect = false): ServiceError {
  return new ServiceError("store_unavailable", `Cannot use the database: ${what}`, {
    cause,
    tier: "database",
    hadNoEffect,
  });
}

/** Throws when the caller no longer waits, so that nothing is begun for it. */
export function refuseAborted(signal: AbortSignal): void {
  if (signal.aborted) throw databaseUnavailable("the caller stopped waiting", signal.reason);
}
