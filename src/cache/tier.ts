import type { Clock } from "../core/clock.ts";
import { ServiceError } from "../core/errors.ts";
import type { CacheObserver } from "./observer.ts";
import { Timeouts } from "./timeouts.ts";

/** How a tier is treated. */
export interface TierOptions {
  /** As it stands in errors, logs and health: `redis`, `database`. */
  readonly name: string;
  readonly readTimeoutMs: number;
  readonly writeTimeoutMs: number;
}

/** The policy around one remote store: bounds each operation in time and turns each failure into one error. */
export class Tier {
  readonly name: string;
  readonly #observer: CacheObserver;
  readonly #reads: Timeouts;
  readonly #writes: Timeouts;

  constructor(options: TierOptions, clock: Clock, observer: CacheObserver) {
    this.name = options.name;
    this.#observer = observer;
    this.#reads = new Timeouts(clock, options.readTimeoutMs);
    this.#writes = new Timeouts(clock, options.writeTimeoutMs);
  }

  /** Rejects with `store_unavailable` when the store fails or takes longer than a read may. */
  read<T>(operation: string, work: Promise<T>): Promise<T> {
    return this.#run(this.#reads, operation, work);
  }

  /**
   * Like {@link read} with the time-out of writes. `onLate` is called when the store answers after it: the
   * write may have taken place in between.
   */
  write<T>(operation: string, work: Promise<T>, onLate?: () => void): Promise<T> {
    return this.#run(this.#writes, operation, work, onLate);
  }

  async #run<T>(timeouts: Timeouts, operation: string, work: Promise<T>, onLate?: () => void): Promise<T> {
    try {
      return await timeouts.race(
        work,
        () => this.#unavailable(operation, "it did not answer in time"),
        onLate,
      );
    } catch (error) {
      const failure = error instanceof ServiceError
        ? error
        : this.#unavailable(operation, "it cannot be reached or refused", error);
      if (failure.code !== "cancelled") this.#observer.tierFailed(this.name, operation, failure);
      throw failure;
    }
  }

  #unavailable(operation: string, why: string, cause?: unknown): ServiceError {
    const text = `Cannot ${operation} in the ${this.name} tier: ${why}`;
    return new ServiceError("store_unavailable", text, { tier: this.name, cause });
  }
}
