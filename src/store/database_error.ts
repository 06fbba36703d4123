import { ServiceError } from "../core/errors.ts";

/**
 * The error of a database that could not answer: nothing is known of the row, or of the change's outcome. `settled`
 * says when the change can no longer take effect.
 */
export function databaseUnavailable(what: string, cause?: unknown, settled?: Promise<void>): ServiceError {
  return new ServiceError("store_unavailable", `Cannot use the database: ${what}`, {
    cause,
    tier: "database",
    settled,
  });
}

/** Throws when the caller no longer waits, so that nothing is begun for it. */
export function refuseAborted(signal: AbortSignal): void {
  if (signal.aborted) throw databaseUnavailable("the caller stopped waiting", signal.reason);
}
