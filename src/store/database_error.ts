import { ServiceError, type ServiceErrorOptions } from "../core/errors.ts";

/** The known effect of a failed change; unknown by default. */
export type KnownEffect = Pick<ServiceErrorOptions, "hadNoEffect" | "settled">;

/** The error of a database that did not answer. For a change, `effect` tells what is known of its outcome. */
export function databaseUnavailable(what: string, cause?: unknown, effect: KnownEffect = {}): ServiceError {
  const text = `Cannot use the database: ${what}`;
  return new ServiceError("store_unavailable", text, { cause, tier: "database", ...effect });
}

/** Throws if the caller has stopped waiting, before any work begins. */
export function refuseAborted(signal: AbortSignal): void {
  if (signal.aborted) {
    throw databaseUnavailable("the caller stopped waiting", signal.reason, { hadNoEffect: true });
  }
}
