import type { CacheKey } from "../core/key.ts";
import { ANY_EPOCH, type Epoch, type Outbox, type SharedEpoch } from "../core/ports.ts";
import type { CacheObserver } from "./observer.ts";
import type { Tier } from "./tier.ts";

/** An outbox with the tier that it is part of. */
export interface OutboxSource {
  readonly store: Outbox;
  readonly tier: Tier;
}

export interface EpochInForceOptions {
  readonly observer: CacheObserver;
  readonly shared: Tier;
  /** The epoch of the shared tier that this process reaches. */
  readonly epoch: SharedEpoch;
  /** Invalidates these keys in local memory, or all. */
  readonly invalidateLocal: (keys: ReadonlySet<CacheKey> | "all") => void;
}

/**
 * The epoch of the shared tier that is in force, as this process last saw it. A tier in another epoch is not read: the
 * other replicas announce their changes in the epoch in force, so this process gets no invalidations and clears local
 * memory at each look.
 */
export class EpochInForce {
  readonly #outbox: OutboxSource;
  readonly #options: EpochInForceOptions;
  #seen: Epoch | undefined;

  constructor(outbox: OutboxSource, options: EpochInForceOptions) {
    this.#outbox = outbox;
    this.#options = options;
  }

  /** Whether a change announced in this epoch needs no record in the outbox, as far as this process knows. */
  has(epoch: Epoch): boolean {
    return epoch === ANY_EPOCH || epoch === this.#seen;
  }

  /**
   * Whether the epoch is in force; a new one comes into force now. `isStill` tells whether this process still reaches
   * it. Resolves to undefined if that is uncertain; rejects when the authority fails.
   */
  async enter(epoch: Epoch, isStill: () => boolean, signal: AbortSignal): Promise<boolean | undefined> {
    if (epoch === ANY_EPOCH) return true;
    const { store, tier } = this.#outbox;
    const { epoch: own, shared, observer, invalidateLocal } = this.#options;
    const confirm = () => shared.read("confirm the epoch", () => own.confirm()).then(isStill, () => false);
    const isInForce = await tier.write("enter the epoch", () => store.enter(epoch, confirm, signal));
    if (isInForce === undefined || isInForce && this.#seen === epoch) return isInForce;
    this.#seen = isInForce ? epoch : undefined;
    invalidateLocal("all");
    if (isInForce) return true;
    observer.outOfForce(shared.name);
    own.recheck();
    return false;
  }
}
