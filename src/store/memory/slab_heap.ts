import type { Entry } from "../../core/entry.ts";
import { UNVERSIONED } from "../../core/version.ts";
import { recordUnits, Slab, SLAB_BYTES, SLAB_UNITS } from "./slab.ts";

/** The unit that a slot without a record names; no slab is as large. */
const NOWHERE = 2 ** 32 - 1;

const INITIAL_SLOTS = 1024;

/** How much of all full slabs together may be dead, or was never used. */
const MAX_DEAD_SHARE = 1 / 8;
const MIN_LIVE_UNITS = SLAB_UNITS * (1 - MAX_DEAD_SHARE);

/** Among how many slabs the sparsest is looked for: a look at all of them would be a pause where there are many. */
const SLABS_COMPARED = 256;

/** The most that a record with a value of this size takes: itself, and its share of what is dead around it. */
export function recordBytes(valueBytes: number): number {
  return Math.ceil(recordUnits(valueBytes) / MIN_LIVE_UNITS * SLAB_BYTES);
}

/**
 * Unversioned entries with small values, some hundreds to a slab: a typed array and an object for each would take
 * several times what a small value does, and would be the garbage collector's to walk over.
 *
 *     slot -> slab and unit     slab: record record record …
 *
 * Memory comes back by the slab, never by the record. A slab is given up once nothing in it lives, or, while too
 * little lives in all of them, if it is the sparsest: then its survivors are copied into the newest slab, and their
 * slots say so. Where the oldest records go first, each slab soon dies whole and nothing is copied. It is filled again
 * only if it has never lent a view, and is the garbage collector's otherwise, or this could happen:
 *
 *     get(a): a view of a's value      set(b): evicts a, puts b in a's place
 *     the view is written to a socket: the caller who asked for a is sent b
 *
 * To fill it again is worth it: under a writer whose entries nobody reads, slabs would die faster than garbage is
 * collected.
 */
export class SlabHeap {
  readonly #slabs: (Slab | undefined)[] = [];
  readonly #freeSlabs: number[] = [];
  /** Given up, and seen by nobody. */
  #spare: Slab | undefined;
  /** Of each slot the slab's index and, behind it, the unit at which the record begins. */
  #places = new Uint32Array(2 * INITIAL_SLOTS);
  readonly #freeSlots: number[] = [];
  #slotCount = 0;
  #newest = new Slab();
  #newestIndex = 0;
  /** In all slabs but the newest. */
  #liveUnits = 0;
  /** Where the next sparse slab is looked for. */
  #hand = 0;

  constructor() {
    this.#slabs.push(this.#newest);
  }

  /** What the slabs with records take. */
  get heldBytes(): number {
    return (this.#slabs.length - this.#freeSlabs.length) * SLAB_BYTES;
  }

  /** Keeps a copy of the value, at most MAX_RECORD_VALUE_BYTES; returns the slot, which names it until it is removed. */
  add(value: Uint8Array, expiresAtMs: number): number {
    const slot = this.#takeSlot();
    this.#place(slot, recordUnits(value.length));
    this.#newest.append(slot, value, expiresAtMs);
    this.#compact();
    return slot;
  }

  /** The entry in a slot. Its value is a view, which stays as it is also after the entry was removed. */
  get(slot: number): Entry<Uint8Array> {
    const slab = this.#slabs[this.#places[slot * 2]!]!;
    const unit = this.#places[slot * 2 + 1]!;
    return { value: slab.lendValueAt(unit), expiresAtMs: slab.expiresAtMsAt(unit), version: UNVERSIONED };
  }

  /** Gives the slot back. */
  remove(slot: number): void {
    const index = this.#places[slot * 2]!;
    const slab = this.#slabs[index]!;
    const units = slab.unitsAt(this.#places[slot * 2 + 1]!);
    slab.liveUnits -= units;
    this.#places[slot * 2 + 1] = NOWHERE;
    this.#freeSlots.push(slot);
    if (slab === this.#newest) return;
    this.#liveUnits -= units;
    if (slab.liveUnits === 0) this.#giveUp(index, slab);
    else this.#compact();
  }

  /** Lets the slot name the next record of the newest slab, which has room for one of this size. */
  #place(slot: number, units: number): void {
    if (!this.#newest.hasRoomFor(units)) this.#beginSlab();
    this.#places[slot * 2] = this.#newestIndex;
    this.#places[slot * 2 + 1] = this.#newest.endUnit;
  }

  #beginSlab(): void {
    this.#liveUnits += this.#newest.liveUnits;
    this.#newest = this.#spare ?? new Slab();
    this.#spare = undefined;
    this.#newestIndex = this.#freeSlabs.pop() ?? this.#slabs.length;
    this.#slabs[this.#newestIndex] = this.#newest;
  }

  /** Gives slabs up until enough of the others is alive. */
  #compact(): void {
    while (this.#liveUnits < (this.#slabs.length - this.#freeSlabs.length - 1) * MIN_LIVE_UNITS) {
      const index = this.#sparseSlab();
      this.#giveUp(index, this.#slabs[index]!);
    }
  }

  /** The sparsest of some slabs, of which one at least has too little alive: on average they have. */
  #sparseSlab(): number {
    let sparsest = -1;
    let leastUnits = MIN_LIVE_UNITS;
    for (let compared = 0; compared < SLABS_COMPARED || sparsest < 0; compared++) {
      if (compared >= this.#slabs.length && sparsest >= 0) break;
      const index = this.#hand++ % this.#slabs.length;
      const slab = this.#slabs[index];
      if (slab === undefined || slab === this.#newest || slab.liveUnits >= leastUnits) continue;
      sparsest = index;
      leastUnits = slab.liveUnits;
    }
    return sparsest;
  }

  #giveUp(index: number, slab: Slab): void {
    this.#liveUnits -= slab.liveUnits;
    for (let unit = 0; slab.liveUnits > 0; unit += slab.unitsAt(unit)) {
      const slot = slab.slotAt(unit);
      // A dead record's slot is empty, or names another record by now.
      if (this.#places[slot * 2] !== index || this.#places[slot * 2 + 1] !== unit) continue;
      slab.liveUnits -= slab.unitsAt(unit);
      this.#place(slot, slab.unitsAt(unit));
      slab.copyTo(this.#newest, unit);
    }
    this.#slabs[index] = undefined;
    if (slab.reset()) this.#spare = slab;
    this.#freeSlabs.push(index);
  }

  #takeSlot(): number {
    const free = this.#freeSlots.pop();
    if (free !== undefined) return free;
    if (this.#slotCount * 2 === this.#places.length) {
      const longer = new Uint32Array(this.#places.length * 2);
      longer.set(this.#places);
      this.#places = longer;
    }
    return this.#slotCount++;
  }
}
