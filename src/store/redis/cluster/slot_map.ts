import type { ClusterMaster, ClusterView } from "./view.ts";

/** How many slots every cluster has. */
const SLOTS = 16_384;

/**
 * Which node of a cluster has which slot, as its nodes say. Where they differ, because news of a failover or of a
 * slot that was moved has not reached all of them, the claim under the greatest epoch counts. A slot has no owner where
 * another node than the claimant was found at its address.
 */
export class SlotMap {
  /** All masters that any node knows, by name. */
  readonly masters: ReadonlyMap<string, ClusterMaster>;
  readonly #names: ReadonlyMap<string, string>;
  readonly #owners: readonly (string | undefined)[];

  /** Whether each slot has an owner. */
  readonly isComplete: boolean;

  /** `isAt`: false where it is known that the node with this id is not the one of this name. */
  constructor(views: Iterable<ClusterView> = [], isAt: (id: string, name: string) => boolean = () => true) {
    const masters = new Map<string, ClusterMaster>();
    const names = new Map<string, string>();
    const owners: (string | undefined)[] = new Array(SLOTS).fill(undefined);
    const epochs = new Float64Array(SLOTS).fill(-1);
    for (const master of [...views].flatMap(({ masters }) => masters)) {
      const { id, name, epoch, slots } = master;
      masters.set(name, master);
      names.set(id, name);
      const owner = isAt(id, name) ? name : undefined;
      for (const [first, last] of slots) {
        for (let slot = first; slot <= last; slot++) {
          if (epoch <= epochs[slot]!) continue;
          epochs[slot] = epoch;
          owners[slot] = owner;
        }
      }
    }
    this.masters = masters;
    this.#names = names;
    this.#owners = owners;
    this.isComplete = !owners.includes(undefined);
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
