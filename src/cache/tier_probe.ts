import type { Clock, Timer } from "../core/clock.ts";

const INTERVAL_MS = 1000;

/** `read_only`: the tier answers and takes no changes. */
export type TierState = "up" | "read_only" | "down";

/**
 * Pings a tier each second and reports each change of its state; the first answer is a change. The ping goes through
 * `Tier.probe()`, so a success also closes the tier's breaker.
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
   * `ping` rejects when the tier does not answer in time. `onChange` also gets the reason when the state is `read_only`.
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

  /** Resolves after the first ping. */
  get asked(): Promise<void> {
    return this.#first.promise;
  }

  /** From now on the tier takes no changes, for this reason; undefined: it takes them again. */
  refusesChanges(refusal: Error | undefined): void {
    this.#refusal = refusal;
    this.#report();
  }

  [Symbol.dispose](): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  async #probe(): Promise<void> {
    const answers = await this.#ping().then(() => true, () => false);
    if (this.#stopped) return;
    this.#answers = answers;
    this.#report();
    this.#first.resolve();
    this.#timer = this.#clock.setTimer(() => this.#probe(), INTERVAL_MS, "background");
  }

  #report(): void {
    if (this.#answers === undefined || this.#stopped) return;
    const state = !this.#answers ? "down" : this.#refusal === undefined ? "up" : "read_only";
    if (state === this.#state) return;
    this.#state = state;
    this.#onChange(state, this.#refusal);
  }
}
