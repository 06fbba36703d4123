import type { ClusterMaster } from "./redis_cluster_view.ts";
import type { RedisAddress } from "./redis_options.ts";

/** How many slots every cluster has. */
const SLOTS = 16_384;

/**
 * Which node of a cluster has which slot, as its nodes say. Where they differ, because news of a failover or of a
 * slot that was moved has not reached all of them, the claim under the greatest epoch counts.
 */
export class SlotMap {
  /** All masters that any node knows, by name. */
  readonly masters: ReadonlyMap<string, RedisAddress>;
  readonly #owners: readonly (string | undefined)[];

  constructor(views: Iterable<readonly ClusterMaster[]> = []) {
    const masters = new Map<string, RedisAddress>();
    const owners: (string | undefined)[] = new Array(SLOTS).fill(undefined);
    const epochs = new Float64Array(SLOTS).fill(-1);
    for (const { name, address, epoch, slots } of [...views].flat()) {
      masters.set(name, address);
      for (const [first, last] of slots) {
        for (let slot = first; slot <= last; slot++) {
          if (epoch <= epochs[slot]!) continue;
          epochs[slot] = epoch;
          owners[slot] = name;
        }
      }
    }
    this.masters = masters;
    this.#owners = owners;
  }

  /** The name of the master that has the slot; undefined where none has. */
  ownerOf(slot: number): string | undefined {
    return this.#owners[slot];
  }
}
