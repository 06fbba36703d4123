import { ServiceError, type ServiceErrorOptions } from "../core/errors.ts";

/** What is known of the effect of a change that has failed; nothing unless it is said. */
export type KnownEffect = Pick<ServiceErrorOptions, "hadNoEffect" | "settled">;

/** The error of a database that could not answer: nothing is known of the row, and of a change what `effect` says. */
export function databaseUnavailable(what: string, cause?: unknown, effect: KnownEffect = {}): ServiceError {
  const text = `Cannot use the database: ${what}`;
  return new ServiceError("store_unavailable", text, { cause, tier: "database", ...effect });
}

/** Throws when the caller no longer waits, so that nothing is begun for it. */
export function refuseAborted(signal: AbortSignal): void {
  if (signal.aborted) {
    throw databaseUnavailable("the caller stopped waiting", signal.reason, { hadNoEffect: true });
  }
}
