/** The state of a tier; `read_only`: its file answers reads and refuses changes. */
export type TierReadiness = "up" | "read_only" | "down";

/** The body of `/readyz`. */
export interface ReadinessReport {
  readonly status: "ready" | "starting" | "draining" | "unavailable";
  readonly tiers: Readonly<Record<string, TierReadiness>>;
}

/**
 * Whether load balancers should send traffic here. It is ready once serving, while at least one authority answers:
 * without Redis secrets are still served, without MySQL everything but changes of secrets. A `read_only` file does not
 * count as an authority, because its changes have no other place to go.
 */
export class Readiness {
  readonly #authorities: readonly string[];
  readonly #tiers = new Map<string, TierReadiness>();
  #phase: "starting" | "serving" | "draining" = "starting";

  /** `authorities` are the names of the tiers that hold the truth of entries or secrets. */
  constructor(authorities: readonly string[]) {
    this.#authorities = authorities;
  }

  setTier(tier: string, state: TierReadiness): void {
    this.#tiers.set(tier, state);
  }

  /** Calls are accepted from now on. */
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
