import type { Clock } from "../core/clock.ts";

/** The window slides by a tenth at a time. */
const SLOTS = 10;

/**
 * Counts the calls of the last `windowMs`, and those that failed.
 *
 *     | 3/9 | 0/4 | 7/7 | …          failed/all, a tenth of the window each; a ring
 *              ^ now
 */
export class CallWindow {
  readonly #clock: Clock;
  readonly #slotMs: number;
  readonly #calls = new Uint32Array(SLOTS);
  readonly #failures = new Uint32Array(SLOTS);
  #now = 0;

  constructor(windowMs: number, clock: Clock) {
    this.#clock = clock;
    this.#slotMs = windowMs / SLOTS;
  }

  add(outcome: "success" | "failure"): void {
    this.#slide();
    const slot = this.#now % SLOTS;
    this.#calls[slot]!++;
    if (outcome === "failure") this.#failures[slot]!++;
  }

  count(): { readonly calls: number; readonly failures: number } {
    this.#slide();
    const sum = (total: number, each: number) => total + each;
    return { calls: this.#calls.reduce(sum, 0), failures: this.#failures.reduce(sum, 0) };
  }

  clear(): void {
    this.#calls.fill(0);
    this.#failures.fill(0);
  }

  #slide(): void {
    const now = Math.floor(this.#clock.now() / this.#slotMs);
    // The machine's clock was set back, or the window has passed: all counts are out of date.
    if (now < this.#now || now - this.#now >= SLOTS) this.clear();
    for (let each = this.#now + 1; each <= now && now - this.#now < SLOTS; each++) {
      this.#calls[each % SLOTS] = 0;
      this.#failures[each % SLOTS] = 0;
    }
    this.#now = now;
  }
}
