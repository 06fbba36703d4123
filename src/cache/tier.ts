import type { Clock } from "../core/clock.ts";
import { ServiceError, type ServiceErrorOptions } from "../core/errors.ts";
import { CircuitBreaker, type CircuitBreakerOptions, type Outcome, type Permit } from "./circuit_breaker.ts";
import type { CacheObserver } from "./observer.ts";
import { DeadlineQueue } from "../core/deadline_queue.ts";

export interface TierOptions {
  /** The name in errors, logs and health: `redis`, `database`. */
  readonly name: string;
  readonly readTimeoutMs: number;
  readonly writeTimeoutMs: number;
  /** Absent for a store in this process. */
  readonly breaker?: CircuitBreakerOptions;
  /** Whether an error is a healthy store's refusal of one operation; it then counts as an answer. */
  readonly isRefusal?: (error: unknown) => boolean;
}

/** Called with an answer that comes after the time-out. */
type OnLate = (error?: unknown) => void;

/** How long an answer counts as a sign of health. The health probe asks more often than that. */
const FRESH_MS = 1500;

/**
 * The policy around one remote store: a time-out for each operation, a circuit breaker, and one kind of error,
 * `store_unavailable`, for each failure.
 */
export class Tier {
  readonly name: string;
  readonly #clock: Clock;
  readonly #observer: CacheObserver;
  readonly #reads: DeadlineQueue;
  readonly #writes: DeadlineQueue;
  readonly #breaker: CircuitBreaker | undefined;
  readonly #isRefusal: (error: unknown) => boolean;
  #interruptions = 0;
  /** The beginning of the last successful operation, by the monotonic clock; -Infinity after a failure or a disconnect. */
  #answeredAtMs = -Infinity;

  constructor(options: TierOptions, clock: Clock, observer: CacheObserver) {
    this.name = options.name;
    this.#isRefusal = options.isRefusal ?? (() => false);
    this.#clock = clock;
    this.#observer = observer;
    this.#reads = new DeadlineQueue(clock, options.readTimeoutMs);
    this.#writes = new DeadlineQueue(clock, options.writeTimeoutMs);
    if (options.breaker !== undefined) {
      this.#breaker = new CircuitBreaker(options.breaker, clock, (state) => {
        this.#interruptions++;
        observer.breakerChanged(options.name, state);
      });
    }
  }

  /**
   * A number that changes whenever the store goes out of reach or comes back. What was learnt under another number may
   * be out of date.
   */
  get interruptions(): number {
    return this.#interruptions;
  }

  /** Whether the store has answered within {@link FRESH_MS}, and has not failed or disconnected since. */
  get hasJustAnswered(): boolean {
    return this.#clock.monotonic() - this.#answeredAtMs < FRESH_MS &&
      (this.#breaker === undefined || this.#breaker.state === "closed");
  }

  /** The connection to the store has been lost or restored. */
  interrupted(): void {
    this.#interruptions++;
    this.#answeredAtMs = -Infinity;
  }

  /**
   * Settles as `work` does. Rejects with `store_unavailable` when the store fails or exceeds the time-out of reads, or at
   * once, without asking it, while the breaker is open.
   */
  read<T>(operation: string, work: () => Promise<T>): Promise<T> {
    return this.#run(this.#reads, operation, work);
  }

  /**
   * Like {@link read}, with the time-out of writes. `onLate` is called when the store answers after it, with the error if
   * it fails: the write may have taken effect meanwhile, or still may.
   */
  write<T>(operation: string, work: () => Promise<T>, onLate?: OnLate): Promise<T> {
    return this.#run(this.#writes, operation, work, onLate);
  }

  /**
   * Like {@link read}, for background health checks: an open breaker lets it through as its probe. If the breaker needs a
   * second success, it asks again at once, so that a success means that the store can be used.
   */
  async probe<T>(operation: string, work: () => Promise<T>): Promise<T> {
    const probe = () => this.#ask(this.#reads, operation, work, this.#breaker?.acquireProbe());
    const answer = await probe();
    return this.#breaker?.state === "half_open" ? await probe() : answer;
  }

  #run<T>(timeouts: DeadlineQueue, operation: string, work: () => Promise<T>, onLate?: OnLate): Promise<T> {
    return this.#ask(timeouts, operation, work, this.#breaker?.acquire(), onLate);
  }

  #ask<T>(
    timeouts: DeadlineQueue,
    operation: string,
    work: () => Promise<T>,
    permit: Permit | undefined,
    onLate?: OnLate,
  ): Promise<T> {
    const breaker = this.#breaker;
    if (breaker !== undefined && permit === undefined) {
      const why = "it has failed too often, so its circuit breaker is open";
      const { retryAfterMs } = breaker;
      return Promise.reject(this.#unavailable(operation, why, { retryAfterMs, hadNoEffect: true }));
    }
    const asked = this.#observer.calls?.tierAsked(this.name, operation);
    return new Promise((resolve, reject) => {
      const end = (outcome: Outcome) => {
        asked?.(outcome === "success");
        if (permit !== undefined) breaker?.release(permit, outcome);
      };
      const fail = (failure: ServiceError) => {
        const outcome = this.#outcomeOf(failure);
        if (outcome !== "ignored") this.#observer.tierFailed(this.name, operation, failure);
        if (outcome === "failure") this.#answeredAtMs = -Infinity;
        end(outcome);
        reject(failure);
      };
      const working = begun(work);
      // After the work has begun: the store may bound its own part by the same time-out, and that must be over before
      // the caller gets the error.
      const deadline = timeouts.add({
        onTimeUp: () => fail(this.#unavailable(operation, "it did not answer in time")),
      });
      working.then((value) => {
        if (!deadline.cancel()) return onLate?.();
        this.#answeredAtMs = deadline.dueMs - timeouts.timeoutMs;
        end("success");
        resolve(value);
      }, (error) => {
        if (!deadline.cancel()) return onLate?.(error);
        fail(
          error instanceof ServiceError
            ? error
            : this.#unavailable(operation, "it refused, or cannot be reached", { cause: error }),
        );
      });
    });
  }

  /** What an error means for the store's health. Unreadable data is an answer too. */
  #outcomeOf(failure: ServiceError): Outcome {
    if (isCancelled(failure) || isCancelled(failure.cause)) return "ignored";
    return failure.code === "store_unavailable" && !this.#isRefusal(failure.cause) ? "failure" : "success";
  }

  #unavailable(
    operation: string,
    why: string,
    options: Pick<ServiceErrorOptions, "cause" | "retryAfterMs" | "hadNoEffect"> = {},
  ): ServiceError {
    const text = `Cannot ${operation} in the ${this.name} tier: ${why}`;
    return new ServiceError("store_unavailable", text, { tier: this.name, ...options });
  }
}

/** Begins the work; a throw becomes a rejection. Promise.try would add a promise to each operation. */
function begun<T>(work: () => Promise<T>): Promise<T> {
  try {
    return work();
  } catch (error) {
    return Promise.reject(error);
  }
}

function isCancelled(error: unknown): boolean {
  return error instanceof ServiceError && error.code === "cancelled";
}
