/** Whether a tier answers; of a file that can be read and not be changed: `read_only`. */
export type TierReadiness = "up" | "read_only" | "down";

/** What `/readyz` says. */
export interface ReadinessReport {
  readonly status: "ready" | "starting" | "draining" | "unavailable";
  readonly tiers: Readonly<Record<string, TierReadiness>>;
}

/**
 * Whether traffic should be sent here: from the start to the drain, while some authority is up. With Redis away
 * secrets are still served, with MySQL away everything but changes of secrets: no reason to send nothing. A file that
 * takes no changes does not count: nothing else holds its truth.
 */
export class Readiness {
  readonly #authorities: readonly string[];
  readonly #tiers = new Map<string, TierReadiness>();
  #phase: "starting" | "serving" | "draining" = "starting";

  /** `authorities` names the tiers that hold the truth of something. */
  constructor(authorities: readonly string[]) {
    this.#authorities = authorities;
  }

  setTier(tier: string, state: TierReadiness): void {
    this.#tiers.set(tier, state);
  }

  /** Calls are taken from now on. */
  serve(): void {
    this.#phase = "serving";
  }

  /** No more calls should come here. */
  drain(): void {
    this.#phase = "draining";
  }

  report(): ReadinessReport {
    const isAvailable = this.#authorities.some((name) => this.#tiers.get(name) === "up");
    const status = this.#phase !== "serving" ? this.#phase : isAvailable ? "ready" : "unavailable";
    return { status, tiers: Object.fromEntries(this.#tiers) };
  }
}
