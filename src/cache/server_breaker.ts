import type { Clock } from "../core/clock.ts";
import { ServiceError } from "../core/errors.ts";
import type { ServerBreaker } from "../core/ports.ts";
import { DeadlineQueue } from "../core/deadline_queue.ts";
import {
  type BreakerState,
  CircuitBreaker,
  type CircuitBreakerOptions,
  type Permit,
} from "./circuit_breaker.ts";
import type { TierOptions } from "./tier.ts";

export interface ServerBreakerOptions {
  /** The tier that the server is part of, for errors. */
  readonly tier: string;
  readonly breaker: CircuitBreakerOptions;
  /** The longest time-out of the tier; later answers count as failures. */
  readonly timeoutMs: number;
  readonly isRefusal: NonNullable<TierOptions["isRefusal"]>;
  readonly onChange: (state: BreakerState) => void;
}

/**
 * The circuit breaker of one server of a tier that has several.
 *
 * One breaker for all of them would be wrong in both directions. With one dead master of three, a third of the calls
 * fail: that is below the ratio, so each of them waits for its time-out. If most calls go to the dead one, the healthy
 * servers are not called either. So each server has its own, and their tier, which still bounds every call in time, has
 * none.
 */
export function serverBreaker(options: ServerBreakerOptions, clock: Clock): ServerBreaker {
  const { tier, isRefusal } = options;
  const breaker = new CircuitBreaker(options.breaker, clock, options.onChange);
  const timeouts = new DeadlineQueue(clock, options.timeoutMs);

  async function run<T>(permit: Permit | undefined, work: () => Promise<T>): Promise<T> {
    if (permit === undefined) {
      throw new ServiceError(
        "store_unavailable",
        `Cannot ask a server of the ${tier} tier: it has failed too often, so its circuit breaker is open`,
        { tier, retryAfterMs: breaker.retryAfterMs },
      );
    }
    const answer = Promise.try(work);
    // The answer itself is returned however late it is: the tier's `onLate` needs it.
    timeouts.race(answer, () => new Error("Too late")).then(
      () => breaker.release(permit, "success"),
      (error) => breaker.release(permit, isRefusal(error) ? "success" : "failure"),
    );
    return await answer;
  }

  return {
    run: (work) => run(breaker.acquire(), work),
    probe: (work) => run(breaker.acquireProbe(), work),
  };
}
