import type { Clock } from "../../../src/core/clock.ts";
import { ServiceError } from "../../../src/core/errors.ts";

/** How likely a commit stalls. */
const STALLS = 0.1;
/** The longest stall: longer than a tombstone lives. */
const MAX_STALL_MS = 150_000;
/** When the client gives its statement up. */
const STATEMENT_TIMEOUT_MS = 300;
/** The longest time until the client knows that a commit has ended. */
const MAX_UNNOTICED_MS = 500;

/**
 * Whether commits may stall: the client has no answer in time, and the commit takes effect long afterwards. Its end is
 * `reported`, as a store does, or `forgotten`.
 */
export type Stalls = "none" | "reported" | "forgotten";

/** Delays some of the commits of all replicas. */
export class StallingCommits {
  readonly #clock: Clock;
  readonly #random: () => number;
  #waiting = 0;

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  /** How many commits have not taken effect yet. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Runs `commit`, or stalls: then it takes effect much later, by a call of `late`. */
  run<T>(commit: () => Promise<T>, late: () => void, stalls: Stalls): Promise<T> {
    if (stalls === "none" || this.#random() >= STALLS) return commit();
    const { promise: settled, resolve } = Promise.withResolvers<void>();
    this.#waiting++;
    this.#clock.setTimer(() => {
      this.#waiting--;
      late();
      this.#clock.setTimer(resolve, this.#random() * MAX_UNNOTICED_MS);
    }, this.#random() * MAX_STALL_MS);
    return new Promise((_, reject) => {
      const error = new ServiceError("store_unavailable", "Simulated stall", {
        settled: stalls === "reported" ? settled : undefined,
      });
      this.#clock.setTimer(() => reject(error), STATEMENT_TIMEOUT_MS);
    });
  }
}
