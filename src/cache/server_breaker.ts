import type { Clock } from "../core/clock.ts";
import { ServiceError } from "../core/errors.ts";
import type { ServerGuard } from "../core/ports.ts";
import {
  type BreakerState,
  CircuitBreaker,
  type CircuitBreakerOptions,
  type Pass,
} from "./circuit_breaker.ts";
import { DeadlineQueue } from "../core/deadline_queue.ts";
import type { TierOptions } from "./tier.ts";

/** How one server of several is treated. */
export interface ServerBreakerOptions {
  /** The tier that the server is part of, as it stands in errors. */
  readonly tier: string;
  readonly breaker: CircuitBreakerOptions;
  /** The longest that anybody waits for an answer of the tier; later ones count as failures. */
  readonly timeoutMs: number;
  readonly isRefusal: NonNullable<TierOptions["isRefusal"]>;
  readonly onChange: (state: BreakerState) => void;
}

/**
 * The circuit breaker of one server of a tier that has several.
 *
 * One breaker for all of them would be wrong in both directions: with one dead master of three, a third of the calls
 * fail, which is below the ratio, so that each of them waits for its time-out; and where most calls happen to go
 * to the dead one, the others would be left alone as well. So each server's calls are counted apart, and the tier
 * around them, which still bounds every call in time, has no breaker of its own.
 */
export class ServerBreaker implements ServerGuard {
  readonly #tier: string;
  readonly #breaker: CircuitBreaker;
  readonly #timeouts: DeadlineQueue;
  readonly #isRefusal: (error: unknown) => boolean;

  constructor(options: ServerBreakerOptions, clock: Clock) {
    this.#tier = options.tier;
    this.#isRefusal = options.isRefusal;
    this.#breaker = new CircuitBreaker(options.breaker, clock, options.onChange);
    this.#timeouts = new DeadlineQueue(clock, options.timeoutMs);
  }

  run<T>(work: () => Promise<T>): Promise<T> {
    return this.#run(this.#breaker.enter(), work);
  }

  probe<T>(work: () => Promise<T>): Promise<T> {
    return this.#run(this.#breaker.enterEarly(), work);
  }

  async #run<T>(pass: Pass | undefined, work: () => Promise<T>): Promise<T> {
    if (pass === undefined) {
      throw new ServiceError(
        "store_unavailable",
        `Cannot ask a server of the ${this.#tier} tier: it has failed too often and is left alone for now`,
        { tier: this.#tier, retryAfterMs: this.#breaker.retryAfterMs },
      );
    }
    const answer = Promise.try(work);
    // The answer itself is handed on however late it is: whoever gave up waiting has to hear of it.
    this.#timeouts.race(answer, () => new Error("Too late")).then(
      () => this.#breaker.leave(pass, "success"),
      (error) => this.#breaker.leave(pass, this.#isRefusal(error) ? "success" : "failure"),
    );
    return await answer;
  }
}
