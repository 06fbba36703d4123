import type { Clock } from "./core/clock.ts";

/** Whether a tier answers; of a file that can be read and not be written: `read_only`. */
type TierReadiness = "up" | "down" | "read_only";

/** What `/readyz` says. */
export interface ReadinessReport {
  readonly status: "ready" | "starting" | "draining" | "unavailable";
  readonly tiers: Readonly<Record<string, TierReadiness>>;
}

/** A tier that holds the truth of something. */
export interface TruthHolder {
  /** The tier's name. */
  readonly name: string;
  /** Throws when the embedded store cannot be written; undefined of a server. */
  readonly checkWritable?: (() => void) | undefined;
}

/**
 * Whether traffic should be sent here: from the start to the drain, while some tier that holds a truth answers. With
 * Redis away secrets are still served, with MySQL away everything but changes of secrets: no reason to send nothing.
 * A file that cannot be written does not count: nobody else holds its truth.
 */
export class Readiness {
  readonly #holders: ReadonlyMap<string, WriteCheck>;
  readonly #tiers = new Map<string, "up" | "down">();
  #phase: "starting" | "serving" | "draining" = "starting";

  constructor(holders: readonly TruthHolder[], clock: Clock) {
    this.#holders = new Map(
      holders.map(({ name, checkWritable }) => [name, new WriteCheck(checkWritable, clock)]),
    );
  }

  setTier(tier: string, state: "up" | "down"): void {
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
    const tiers: Record<string, TierReadiness> = {};
    for (const [name, state] of this.#tiers) {
      const isReadOnly = state === "up" && this.#holders.get(name)?.isWritable() === false;
      tiers[name] = isReadOnly ? "read_only" : state;
    }
    const isAvailable = [...this.#holders.keys()].some((name) => tiers[name] === "up");
    const status = this.#phase !== "serving" ? this.#phase : isAvailable ? "ready" : "unavailable";
    return { status, tiers };
  }
}

/** How long an answer counts: each costs a write to the disk, and anybody may ask. */
const CHECK_INTERVAL_MS = 1000;

/** Asks a store at most once a second whether it can be written. */
class WriteCheck {
  readonly #check: (() => void) | undefined;
  readonly #clock: Clock;
  #isWritable = true;
  #askedAtMs = -Infinity;

  constructor(check: (() => void) | undefined, clock: Clock) {
    this.#check = check;
    this.#clock = clock;
  }

  isWritable(): boolean {
    const nowMs = this.#clock.now();
    // A clock that was set back does not make an answer young again.
    const isFresh = nowMs >= this.#askedAtMs && nowMs < this.#askedAtMs + CHECK_INTERVAL_MS;
    if (this.#check === undefined || isFresh) return this.#isWritable;
    this.#askedAtMs = nowMs;
    try {
      this.#check();
      this.#isWritable = true;
    } catch {
      this.#isWritable = false;
    }
    return this.#isWritable;
  }
}
