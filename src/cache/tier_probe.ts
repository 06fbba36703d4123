import type { Clock, Timer } from "../core/clock.ts";

/** How often a tier is asked. */
const INTERVAL_MS = 1000;

/** Whether a tier answers. */
export type TierState = "up" | "down";

/**
 * Asks a tier each second whether it answers, and tells when that changes; the first answer is a change. The
 * question goes through `Tier.probe()`, so that the answer also closes the tier's breaker.
 */
export class TierProbe implements Disposable {
  readonly #clock: Clock;
  readonly #ping: () => Promise<void>;
  readonly #onChange: (state: TierState) => void;
  readonly #first = Promise.withResolvers<void>();
  #state: TierState | undefined;
  #timer: Timer | undefined;
  #stopped = false;

  /** `ping` rejects when the tier does not answer in time. */
  constructor(clock: Clock, ping: () => Promise<void>, onChange: (state: TierState) => void) {
    this.#clock = clock;
    this.#ping = ping;
    this.#onChange = onChange;
    this.#probe();
  }

  /** Resolves when the tier has been asked for the first time. */
  get asked(): Promise<void> {
    return this.#first.promise;
  }

  [Symbol.dispose](): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  async #probe(): Promise<void> {
    const state = await this.#ping().then(() => "up" as const, () => "down" as const);
    if (this.#stopped) return;
    if (state !== this.#state) {
      this.#state = state;
      this.#onChange(state);
    }
    this.#first.resolve();
    this.#timer = this.#clock.setTimer(() => this.#probe(), INTERVAL_MS, "background");
  }
}
