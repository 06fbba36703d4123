/** What the keys of Redis and of MySQL have in common. */
import type { BreakerThresholds } from "../../core/policies.ts";
import { type Key, key } from "../key.ts";
import { duration, integer, ratio } from "../value_type.ts";

/**
 * The longest that an operation on a store may be allowed to take: a tombstone (one minute) must outlast a request
 * and its store operations.
 */
export const MAX_STORE_TIMEOUT_MS = 10_000;

/** The keys of a store's circuit breaker. */
export function breakerKeys(
  section: string,
  store: string,
): { readonly [F in keyof BreakerThresholds]: Key<number> } {
  return {
    failureRatio: key(
      `${section}.breaker.failure_ratio`,
      ratio(),
      0.5,
      `The circuit breaker of ${store} opens once this share of the calls in the window has failed.`,
    ),
    minCalls: key(
      `${section}.breaker.min_calls`,
      integer({ min: 1, max: 1_000_000 }),
      5,
      "With fewer calls in the window, the breaker stays closed.",
    ),
    windowMs: key(`${section}.breaker.window`, duration(), 2000, `How far back calls to ${store} count.`),
    probeDelayMs: key(
      `${section}.breaker.probe_delay`,
      duration(),
      200,
      "How long an open breaker waits before it lets one call probe. Doubles with each failure, up to 1s.",
    ),
  };
}
