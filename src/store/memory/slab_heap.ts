import type { Entry } from "../../core/entry.ts";
import { UNVERSIONED } from "../../core/version.ts";
import { recordUnits, Slab, SLAB_BYTES, SLAB_UNITS } from "./slab.ts";

/** The unit of an empty slot; no slab is that large. */
const NOWHERE = 2 ** 32 - 1;

const INITIAL_SLOTS = 1024;

/** The share of all full slabs that may be dead or unused. */
const MAX_DEAD_SHARE = 1 / 8;
const MIN_LIVE_UNITS = SLAB_UNITS * (1 - MAX_DEAD_SHARE);

/** Slabs compared to find a sparse one: comparing all of many would block. */
const SLABS_COMPARED = 256;

/** The most bytes that a record with a value of this size takes, including its share of dead space. */
export function recordBytes(valueBytes: number): number {
  return Math.ceil(recordUnits(valueBytes) / MIN_LIVE_UNITS * SLAB_BYTES);
}

/**
 * Unversioned entries with small values, some hundreds to a slab. A typed array and an object each would take several
 * times the size of a small value and burden the garbage collector.
 *
 *     slot -> slab and unit     slab: record record record …
 *
 * Memory is freed by the slab, not by the record. A slab is freed when all its records are dead. While the dead share of
 * all slabs is too large, a sparse slab is freed too: its live records move to the newest slab. With the oldest records
 * removed first, slabs die whole and nothing moves.
 *
 * A freed slab is reused only if it has never lent a view; otherwise it is left to the garbage collector, or this could
 * happen:
 *
 *     get(a): a view of a's value      set(b): evicts a, puts b in a's place
 *     the view is written to a socket: the caller of get(a) receives b
 *
 * Reuse matters under a writer whose entries are never read: slabs would die faster than garbage is collected.
 */
export class SlabHeap {
  readonly #slabs: (Slab | undefined)[] = [];
  readonly #freeSlabs: number[] = [];
  /** A freed slab that never lent a view, for reuse. */
  #spare: Slab | undefined;
  /** For each slot two numbers: the slab's index and the record's first unit. */
  #places = new Uint32Array(2 * INITIAL_SLOTS);
  readonly #freeSlots: number[] = [];
  #slotCount = 0;
  #newest = new Slab();
  #newestIndex = 0;
  /** Live units in all slabs but the newest. */
  #liveUnits = 0;
  /** Where the next search for a sparse slab begins. */
  #hand = 0;

  constructor() {
    this.#slabs.push(this.#newest);
  }

  /** Bytes of the slabs in use. */
  get heldBytes(): number {
    return (this.#slabs.length - this.#freeSlabs.length) * SLAB_BYTES;
  }

  /** Stores a copy of the value, at most MAX_RECORD_VALUE_BYTES; returns its slot, valid until {@link remove}. */
  add(value: Uint8Array, expiresAtMs: number): number {
    const slot = this.#acquireSlot();
    this.#place(slot, recordUnits(value.length));
    this.#newest.append(slot, value, expiresAtMs);
    this.#compact();
    return slot;
  }

  /** The entry in a slot. Its value is a view that stays valid after the entry is removed. */
  get(slot: number): Entry<Uint8Array> {
    const slab = this.#slabs[this.#places[slot * 2]!]!;
    const unit = this.#places[slot * 2 + 1]!;
    return { value: slab.lendValueAt(unit), expiresAtMs: slab.expiresAtMsAt(unit), version: UNVERSIONED };
  }

  /** Removes the entry and frees its slot. */
  remove(slot: number): void {
    const index = this.#places[slot * 2]!;
    const slab = this.#slabs[index]!;
    const units = slab.unitsAt(this.#places[slot * 2 + 1]!);
    slab.liveUnits -= units;
    this.#places[slot * 2 + 1] = NOWHERE;
    this.#freeSlots.push(slot);
    if (slab === this.#newest) return;
    this.#liveUnits -= units;
    if (slab.liveUnits === 0) this.#free(index, slab);
    else this.#compact();
  }

  /** Points the slot to the next record of the newest slab, and makes a new slab if the record does not fit. */
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

  /** Frees sparse slabs until the live share is large enough. */
  #compact(): void {
    while (this.#liveUnits < (this.#slabs.length - this.#freeSlabs.length - 1) * MIN_LIVE_UNITS) {
      const index = this.#sparseSlab();
      this.#free(index, this.#slabs[index]!);
    }
  }

  /** The sparsest of some slabs. At least one slab is too sparse, because the average is. */
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

  #free(index: number, slab: Slab): void {
    this.#liveUnits -= slab.liveUnits;
    for (let unit = 0; slab.liveUnits > 0; unit += slab.unitsAt(unit)) {
      const slot = slab.slotAt(unit);
      // The slot of a dead record is empty or points to another record.
      if (this.#places[slot * 2] !== index || this.#places[slot * 2 + 1] !== unit) continue;
      slab.liveUnits -= slab.unitsAt(unit);
      this.#place(slot, slab.unitsAt(unit));
      slab.copyTo(this.#newest, unit);
    }
    this.#slabs[index] = undefined;
    if (slab.reset()) this.#spare = slab;
    this.#freeSlabs.push(index);
  }

  #acquireSlot(): number {
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
