import type { ClusterView } from "./redis_cluster_view.ts";
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
  readonly #names: ReadonlyMap<string, string>;
  readonly #owners: readonly (string | undefined)[];

  constructor(views: Iterable<ClusterView> = []) {
    const masters = new Map<string, RedisAddress>();
    const names = new Map<string, string>();
    const owners: (string | undefined)[] = new Array(SLOTS).fill(undefined);
    const epochs = new Float64Array(SLOTS).fill(-1);
    for (const { id, name, address, epoch, slots } of [...views].flatMap(({ masters }) => masters)) {
      masters.set(name, address);
      names.set(id, name);
      for (const [first, last] of slots) {
        for (let slot = first; slot <= last; slot++) {
          if (epoch <= epochs[slot]!) continue;
          epochs[slot] = epoch;
          owners[slot] = name;
        }
      }
    }
    this.masters = masters;
    this.#names = names;
    this.#owners = owners;
  }

  /** The name of the master that has the slot; undefined where none has. */
  ownerOf(slot: number): string | undefined {
    return this.#owners[slot];
  }

  /** The name of the master with this id; undefined where none has. */
  nameOf(id: string): string | undefined {
    return this.#names.get(id);
  }
}
