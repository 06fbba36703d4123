import type { Clock, Timer } from "../core/clock.ts";

/** How often a tier is asked. */
const INTERVAL_MS = 1000;

/** Whether a tier answers; `read_only`: it answers, and takes no changes. */
export type TierState = "up" | "read_only" | "down";

/**
 * Asks a tier each second whether it answers, and tells when its state changes; the first answer is a change. The
 * question goes through `Tier.probe()`, so that the answer also closes the tier's breaker.
 */
export class TierProbe implements Disposable {
  readonly #clock: Clock;
  readonly #ping: () => Promise<void>;
  readonly #onChange: (state: TierState, refusal: Error | undefined) => void;
  readonly #first = Promise.withResolvers<void>();
  #answers: boolean | undefined;
  #refusal: Error | undefined;
  #state: TierState | undefined;
  #timer: Timer | undefined;
  #stopped = false;

  /**
   * `ping` rejects when the tier does not answer in time. `onChange` gets the reason too when the state is
   * `read_only`.
   */
  constructor(
    clock: Clock,
    ping: () => Promise<void>,
    onChange: (state: TierState, refusal: Error | undefined) => void,
  ) {
    this.#clock = clock;
    this.#ping = ping;
    this.#onChange = onChange;
    this.#probe();
  }

  /** Resolves when the tier has been asked for the first time. */
  get asked(): Promise<void> {
    return this.#first.promise;
  }

  /** The tier takes no changes from now on, for this reason; undefined: it takes them again. */
  refusesChanges(refusal: Error | undefined): void {
    this.#refusal = refusal;
    this.#tell();
  }

  [Symbol.dispose](): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  async #probe(): Promise<void> {
    const answers = await this.#ping().then(() => true, () => false);
    if (this.#stopped) return;
    this.#answers = answers;
    this.#tell();
    this.#first.resolve();
    this.#timer = this.#clock.setTimer(() => this.#probe(), INTERVAL_MS, "background");
  }

  #tell(): void {
    if (this.#answers === undefined || this.#stopped) return;
    const state = !this.#answers ? "down" : this.#refusal === undefined ? "up" : "read_only";
    if (state === this.#state) return;
    this.#state = state;
    this.#onChange(state, this.#refusal);
  }
}
