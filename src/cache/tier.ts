import type { Clock } from "../core/clock.ts";
import { ServiceError, type ServiceErrorOptions } from "../core/errors.ts";
import { CircuitBreaker, type CircuitBreakerOptions, type Outcome, type Pass } from "./circuit_breaker.ts";
import type { CacheObserver } from "./observer.ts";
import { DeadlineQueue } from "../core/deadline_queue.ts";

/** How a tier is treated. */
export interface TierOptions {
  /** As it stands in errors, logs and health: `redis`, `database`. */
  readonly name: string;
  readonly readTimeoutMs: number;
  readonly writeTimeoutMs: number;
  /** A store in this process needs none. */
  readonly breaker?: CircuitBreakerOptions;
  /** Whether an error is an answer: the store refuses what it was asked, and may well do what it is asked next. */
  readonly isRefusal?: (error: unknown) => boolean;
}

/** Hears of an answer that comes after the time-out. */
type OnLate = (error?: unknown) => void;

/** How long an answer says that the store can answer: the probe of health asks about this often. */
const FRESH_MS = 1500;

/**
 * The policy around one remote store: bounds each operation in time, asks nothing of a store that fails, and
 * turns each failure into one error.
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
  /** When the last operation began that succeeded, by the monotonic clock; -Infinity once one has failed since, or a connection was lost. */
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
   * A number that changes whenever the store goes out of reach or comes back: what was learnt about it under
   * another number may no longer be so.
   */
  get interruptions(): number {
    return this.#interruptions;
  }

  /** Whether the store has answered within the last second or so, and not failed or gone since. */
  get hasJustAnswered(): boolean {
    return this.#clock.monotonic() - this.#answeredAtMs < FRESH_MS &&
      (this.#breaker === undefined || this.#breaker.state === "closed");
  }

  /** Says that the connection to the store has been lost or is there again. */
  interrupted(): void {
    this.#interruptions++;
    this.#answeredAtMs = -Infinity;
  }

  /**
   * Rejects with `store_unavailable` when the store fails or takes longer than a read may, or at once, without
   * asking it, while the breaker is open.
   */
  read<T>(operation: string, work: () => Promise<T>): Promise<T> {
    return this.#run(this.#reads, operation, work);
  }

  /**
   * Like {@link read} with the time-out of writes. `onLate` is called when the store answers after it, with the error
   * if it fails: the write may have taken place in between, or may still do so.
   */
  write<T>(operation: string, work: () => Promise<T>, onLate?: OnLate): Promise<T> {
    return this.#run(this.#writes, operation, work, onLate);
  }

  /**
   * Like {@link read}, for a question that nobody waits for: an open breaker lets it through as its probe. Asked
   * once more where the breaker wants a second answer, so that whoever hears of one may use the store.
   */
  async probe<T>(operation: string, work: () => Promise<T>): Promise<T> {
    const ask = () => this.#guarded(this.#reads, operation, work, this.#breaker?.enterEarly());
    const answer = await ask();
    return this.#breaker?.state === "half_open" ? await ask() : answer;
  }

  #run<T>(timeouts: DeadlineQueue, operation: string, work: () => Promise<T>, onLate?: OnLate): Promise<T> {
    return this.#guarded(timeouts, operation, work, this.#breaker?.enter(), onLate);
  }

  #guarded<T>(
    timeouts: DeadlineQueue,
    operation: string,
    work: () => Promise<T>,
    pass: Pass | undefined,
    onLate?: OnLate,
  ): Promise<T> {
    const breaker = this.#breaker;
    if (breaker !== undefined && pass === undefined) {
      const why = "it has failed too often and is left alone for now";
      const { retryAfterMs } = breaker;
      return Promise.reject(this.#unavailable(operation, why, { retryAfterMs, hadNoEffect: true }));
    }
    const asked = this.#observer.calls?.tierAsked(this.name, operation);
    return new Promise((resolve, reject) => {
      const end = (outcome: Outcome) => {
        asked?.(outcome === "success");
        if (pass !== undefined) breaker?.leave(pass, outcome);
      };
      const fail = (failure: ServiceError) => {
        const outcome = this.#outcomeOf(failure);
        if (outcome !== "neither") this.#observer.tierFailed(this.name, operation, failure);
        if (outcome === "failure") this.#answeredAtMs = -Infinity;
        end(outcome);
        reject(failure);
      };
      const working = Promise.try(work);
      // After the work has begun: what the store itself bounds by this time-out, from its own beginning, is over by
      // the time that the caller is told of it.
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
            : this.#unavailable(operation, "it cannot be reached or refused", { cause: error }),
        );
      });
    });
  }

  /** What an error says about the store: one that could answer, with what nobody can read, did answer. */
  #outcomeOf(failure: ServiceError): Outcome {
    if (isCancelled(failure) || isCancelled(failure.cause)) return "neither";
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

function isCancelled(error: unknown): boolean {
  return error instanceof ServiceError && error.code === "cancelled";
}
