/** Records are aligned to this many bytes, so that typed arrays can read their numbers. */
const UNIT_BYTES = 8;

/** The header before a value. */
const HEADER_UNITS = 2;

/**
 * The size of a slab. Compacting a larger one would block longer between two calls; smaller ones need more
 * bookkeeping.
 */
export const SLAB_BYTES = 64 * 1024;
export const SLAB_UNITS = SLAB_BYTES / UNIT_BYTES;

/** The largest value of a record; at most a sixteenth of a slab stays empty at its end. */
export const MAX_RECORD_VALUE_BYTES = 4 * 1024 - HEADER_UNITS * UNIT_BYTES;

/** The units of a record with a value of this size. */
export function recordUnits(valueBytes: number): number {
  return HEADER_UNITS + Math.ceil(valueBytes / UNIT_BYTES);
}

/**
 * Memory that records are appended to. A slab that has lent a view of a value is never overwritten, so the view stays
 * valid for as long as it is held: it keeps the slab alive.
 *
 *     +--------+--------+-------------+-----------------+---------------
 *     | slot   | length | expiresAtMs | value           | the next record
 *     | uint32 | uint32 | float64     | padded to units |
 *     +--------+--------+-------------+-----------------+---------------
 */
export class Slab {
  readonly #buffer = new ArrayBuffer(SLAB_BYTES);
  readonly #bytes = new Uint8Array(this.#buffer);
  readonly #integers = new Uint32Array(this.#buffer);
  readonly #floats = new Float64Array(this.#buffer);
  #endUnit = 0;
  /** Whether a view of a value may be held. */
  #isLent = false;
  /** The units of its live records. The {@link SlabHeap} maintains it. */
  liveUnits = 0;

  /** The unit of the next record. */
  get endUnit(): number {
    return this.#endUnit;
  }

  hasRoomFor(units: number): boolean {
    return this.#endUnit + units <= SLAB_UNITS;
  }

  /** Appends a record with a copy of the value; there must be room. */
  append(slot: number, value: Uint8Array, expiresAtMs: number): void {
    const unit = this.#endUnit;
    this.#integers[unit * 2] = slot;
    this.#integers[unit * 2 + 1] = value.length;
    this.#floats[unit + 1] = expiresAtMs;
    this.#bytes.set(value, (unit + HEADER_UNITS) * UNIT_BYTES);
    this.#endUnit += recordUnits(value.length);
    this.liveUnits += recordUnits(value.length);
  }

  /** The slot of the record that begins at `unit`. */
  slotAt(unit: number): number {
    return this.#integers[unit * 2]!;
  }

  /** The units of the record that begins at `unit`. */
  unitsAt(unit: number): number {
    return recordUnits(this.#integers[unit * 2 + 1]!);
  }

  expiresAtMsAt(unit: number): number {
    return this.#floats[unit + 1]!;
  }

  /** A view of the value, which is not overwritten from now on. */
  lendValueAt(unit: number): Uint8Array {
    this.#isLent = true;
    return this.#valueAt(unit);
  }

  /** Appends a copy of a record to another slab. */
  copyTo(slab: Slab, unit: number): void {
    slab.append(this.slotAt(unit), this.#valueAt(unit), this.expiresAtMsAt(unit));
  }

  /** Drops all records for reuse; returns false and does nothing if a view may be held. */
  reset(): boolean {
    if (this.#isLent) return false;
    this.#endUnit = 0;
    this.liveUnits = 0;
    return true;
  }

  #valueAt(unit: number): Uint8Array {
    return new Uint8Array(this.#buffer, (unit + HEADER_UNITS) * UNIT_BYTES, this.#integers[unit * 2 + 1]!);
  }
}
