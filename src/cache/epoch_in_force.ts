import { ANY_EPOCH, type Epoch, type SharedEpoch } from "../core/ports.ts";
import type { CacheKey } from "../core/key.ts";
import type { CacheObserver } from "./observer.ts";
import type { OutboxSource } from "./outbox_drain.ts";
import type { Tier } from "./tier.ts";

/** What {@link EpochInForce} asks, and what it tells. */
export interface EpochInForceOptions {
  readonly observer: CacheObserver;
  readonly shared: Tier;
  /** The life of the shared tier which this process reaches. */
  readonly epoch: SharedEpoch;
  /** Drops what this process keeps. */
  readonly forget: (keys: ReadonlySet<CacheKey> | "all") => void;
}

/**
 * Which life of the shared tier is in force, as this process saw it last. Another one is not read: other replicas read
 * and tell the one in force, so what this process keeps is dropped at each look, for it does not hear what they change.
 */
export class EpochInForce {
  readonly #outbox: OutboxSource;
  readonly #options: EpochInForceOptions;
  #seen: Epoch | undefined;

  constructor(outbox: OutboxSource, options: EpochInForceOptions) {
    this.#outbox = outbox;
    this.#options = options;
  }

  /** Whether a change that was announced in this life need not be recorded, as far as is known. */
  has(epoch: Epoch): boolean {
    return epoch === ANY_EPOCH || epoch === this.#seen;
  }

  /**
   * Looks whether the life is in force, which one that was never met is from now on; `isStill` says whether this
   * process still reaches it. Resolves to undefined where that is not sure enough; rejects when the authority fails.
   */
  async enter(epoch: Epoch, isStill: () => boolean, signal: AbortSignal): Promise<boolean | undefined> {
    if (epoch === ANY_EPOCH) return true;
    const { store, tier } = this.#outbox;
    const { epoch: own, shared, observer, forget } = this.#options;
    const confirm = () => shared.read("confirm", () => own.confirm()).then(isStill, () => false);
    const isInForce = await tier.write("look at the epoch", () => store.enter(epoch, confirm, signal));
    if (isInForce === undefined || isInForce && this.#seen === epoch) return isInForce;
    this.#seen = isInForce ? epoch : undefined;
    forget("all");
    if (isInForce) return true;
    observer.outOfForce(shared.name);
    own.recheck();
    return false;
  }
}
