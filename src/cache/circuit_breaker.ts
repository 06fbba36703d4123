import type { Clock } from "../core/clock.ts";
import { CallWindow } from "./call_window.ts";

/** When a breaker opens and how it probes; the configuration's section has this shape. */
export interface BreakerThresholds {
  /** The share of the window's calls, above 0 and up to 1, that must have failed. */
  readonly failureRatio: number;
  /** With fewer calls in the window it never opens. */
  readonly minCalls: number;
  readonly windowMs: number;
  /** From opening to the first probe. Doubles with each probe that fails, up to {@link MAX_PROBE_DELAY_MS}. */
  readonly probeDelayMs: number;
}

export interface CircuitBreakerOptions extends BreakerThresholds {
  /** Gives numbers in [0, 1). Spreads the probes of replicas that all lost the store at once. */
  readonly random: () => number;
}

/** `half_open`: one probe has succeeded, which may have been the last answer of a dying store; the next decides. */
export type BreakerState = "closed" | "open" | "half_open";

/** Leave to make one call; whoever has it hands it back with what came of the call, once. */
export interface Pass {
  readonly isProbe: boolean;
}

/** What came of a call: `neither` where it says nothing about the store, as when the caller has gone. */
export type Outcome = "success" | "failure" | "neither";

/** The longest time between two probes, unless the first delay is longer: a store that is back is soon found. */
export const MAX_PROBE_DELAY_MS = 1000;
/** Up to this part of a delay is left out at random. */
const JITTER = 0.2;

/**
 * Keeps calls from a store that fails.
 *
 *     closed  --- too many failures --->  open  --- a probe succeeds --->  half_open
 *       ^                                  ^ |                              |  |
 *       |                                  | +-- a probe fails: longer --+  |  |
 *       |                                  +-----------------------------+--+  |
 *       +------------------------- the next probe succeeds --------------------+
 *
 * Only the answer to a probe leads back, never time alone, and there is at most one probe at a time. Answers to
 * calls that began before the last change of state count for nothing: they are about a time that has passed.
 */
export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions;
  readonly #clock: Clock;
  readonly #onChange: (state: BreakerState) => void;
  readonly #window: CallWindow;
  #state: BreakerState = "closed";
  /** What every call has that begins while the breaker is closed this time. */
  #pass: Pass = { isProbe: false };
  #probe: Pass | undefined;
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

  /** Milliseconds until a call may be worth trying; at least 1. */
  get retryAfterMs(): number {
    return Math.max(1, this.#probe === undefined ? this.#leftMs() : this.#options.probeDelayMs);
  }

  /** Leave to call the store now, or undefined where that must not be. */
  enter(): Pass | undefined {
    if (this.#state === "closed") return this.#pass;
    return this.#leftMs() > 0 ? undefined : this.enterEarly();
  }

  /** As {@link enter}, but a probe need not be due: for calls that nobody waits for. */
  enterEarly(): Pass | undefined {
    if (this.#state === "closed") return this.#pass;
    if (this.#probe !== undefined) return undefined;
    return this.#probe = { isProbe: true };
  }

  /** Takes a pass back. */
  leave(pass: Pass, outcome: Outcome): void {
    if (pass === this.#probe) {
      this.#probe = undefined;
      if (outcome === "success") this.#probeSucceeded();
      if (outcome === "failure") this.#open();
    } else if (pass === this.#pass && this.#state === "closed" && outcome !== "neither") {
      this.#window.add(outcome);
      if (outcome === "failure" && this.#isTooMuch()) this.#open();
    }
  }

  #isTooMuch(): boolean {
    const { calls, failures } = this.#window.count();
    return calls >= this.#options.minCalls && failures >= calls * this.#options.failureRatio;
  }

  #probeSucceeded(): void {
    this.#failedProbes = 0;
    // The next probe is due at once: the store has just answered.
    this.#delayMs = 0;
    if (this.#state === "open") return this.#change("half_open");
    this.#window.clear();
    this.#pass = { isProbe: false };
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
    // More than all of it: the machine's clock was set back, perhaps by hours.
    return leftMs > this.#delayMs ? 0 : leftMs;
  }

  #change(state: BreakerState): void {
    this.#state = state;
    this.#onChange(state);
  }
}
