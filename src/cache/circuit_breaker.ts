import type { Clock } from "../core/clock.ts";
import type { BreakerThresholds } from "../core/policies.ts";
import { CallWindow } from "./call_window.ts";

export interface CircuitBreakerOptions extends BreakerThresholds {
  /** Gives numbers in [0, 1); spreads the probes of replicas that all lost the store at once. */
  readonly random: () => number;
}

/** `half_open`: one probe has succeeded. It may be the last answer of a dying store, so the next probe decides. */
export type BreakerState = "closed" | "open" | "half_open";

/** Permission for one call. Release it once, with the outcome of the call. */
export interface Permit {
  readonly isProbe: boolean;
}

/** The outcome of a call; `ignored` if it tells nothing about the store, as when the caller has left. */
export type Outcome = "success" | "failure" | "ignored";

/** The longest time between two probes, unless the first delay is longer: recovery is noticed soon. */
export const MAX_PROBE_DELAY_MS = 1000;
/** The most that is taken off a delay at random, as a share of it. */
const JITTER = 0.2;

/**
 * Stops calls to a store that keeps failing.
 *
 *     closed  --- too many failures --->  open  --- a probe succeeds --->  half_open
 *       ^                                  ^ |                              |  |
 *       |                                  | +-- a probe fails: longer --+  |  |
 *       |                                  +-----------------------------+--+  |
 *       +------------------------- the next probe succeeds --------------------+
 *
 * Only a successful probe leads back, never time alone, and there is at most one probe at a time. Answers to calls that
 * began before the last change of state are ignored, because they are out of date.
 */
export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions;
  readonly #clock: Clock;
  readonly #onChange: (state: BreakerState) => void;
  readonly #window: CallWindow;
  #state: BreakerState = "closed";
  /** The permit of all calls of one closed period. */
  #permit: Permit = { isProbe: false };
  #probe: Permit | undefined;
  #failedProbes = 0;
  #delayMs = 0;
  #probeAtMs = 0;

  constructor(options: CircuitBreakerOptions, clock: Clock, onChange: (state: BreakerState) => void) {
    this.#options = options;
    this.#clock = clock;
    this.#onChange = onChange;
    this.#window = new CallWindow(options.windowMs, clock);
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** Milliseconds until a further call may succeed; at least 1. */
  get retryAfterMs(): number {
    return Math.max(1, this.#probe === undefined ? this.#leftMs() : this.#options.probeDelayMs);
  }

  /** A permit to call the store now, or undefined if it must not be called. */
  acquire(): Permit | undefined {
    if (this.#state === "closed") return this.#permit;
    return this.#leftMs() > 0 ? undefined : this.acquireProbe();
  }

  /** Like {@link acquire}, but a probe need not be due: for background calls, which no client waits for. */
  acquireProbe(): Permit | undefined {
    if (this.#state === "closed") return this.#permit;
    if (this.#probe !== undefined) return undefined;
    return this.#probe = { isProbe: true };
  }

  /** Takes a permit back with the outcome of its call. */
  release(permit: Permit, outcome: Outcome): void {
    if (permit === this.#probe) {
      this.#probe = undefined;
      if (outcome === "success") this.#probeSucceeded();
      if (outcome === "failure") this.#open();
    } else if (permit === this.#permit && this.#state === "closed" && outcome !== "ignored") {
      this.#window.add(outcome);
      if (outcome === "failure" && this.#hasTooManyFailures()) this.#open();
    }
  }

  #hasTooManyFailures(): boolean {
    const { calls, failures } = this.#window.count();
    return calls >= this.#options.minCalls && failures >= calls * this.#options.failureRatio;
  }

  #probeSucceeded(): void {
    this.#failedProbes = 0;
    // The next probe is due at once: the store has just answered.
    this.#delayMs = 0;
    if (this.#state === "open") return this.#change("half_open");
    this.#window.clear();
    this.#permit = { isProbe: false };
    this.#change("closed");
  }

  #open(): void {
    const { probeDelayMs, random } = this.#options;
    if (this.#state !== "closed") this.#failedProbes++;
    const longestMs = Math.max(probeDelayMs, MAX_PROBE_DELAY_MS);
    const delayMs = Math.min(probeDelayMs * 2 ** this.#failedProbes, longestMs);
    this.#delayMs = Math.ceil(delayMs * (1 - JITTER * random()));
    this.#probeAtMs = this.#clock.now() + this.#delayMs;
    if (this.#state !== "open") this.#change("open");
  }

  #leftMs(): number {
    const leftMs = this.#probeAtMs - this.#clock.now();
    // More than the whole delay is left: the machine's clock was set back, perhaps by hours.
    return leftMs > this.#delayMs ? 0 : leftMs;
  }

  #change(state: BreakerState): void {
    this.#state = state;
    this.#onChange(state);
  }
}
