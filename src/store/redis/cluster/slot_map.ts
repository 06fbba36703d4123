import type { ClusterMaster, ClusterView } from "./view.ts";

/** The number of slots of any cluster. */
const SLOTS = 16_384;

/**
 * The owner of each slot, from the views of several nodes. Views differ until news of a failover or a moved slot has
 * reached every node; the claim with the greatest epoch counts. A slot has no owner if another node was found at the
 * claimant's address.
 */
export class SlotMap {
  /** All known masters, by name. */
  readonly masters: ReadonlyMap<string, ClusterMaster>;
  readonly #names: ReadonlyMap<string, string>;
  readonly #owners: readonly (string | undefined)[];

  /** Whether each slot has an owner. */
  readonly isComplete: boolean;

  /** `isAt` returns false if the node with this id is known not to be at this name. */
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

  /** The name of the slot's owner, or undefined. */
  ownerOf(slot: number): string | undefined {
    return this.#owners[slot];
  }

  /** The name of the master with this id, or undefined. */
  nameOf(id: string): string | undefined {
    return this.#names.get(id);
  }
}
