/** Records are placed at multiples of this many bytes, so that their numbers can be read as numbers. */
const UNIT_BYTES = 8;

/** What a record takes before its value. */
const HEADER_UNITS = 2;

/**
 * How much a slab holds. Larger ones would cost more to move the survivors of, in one go between two calls; smaller
 * ones would take more for their own bookkeeping.
 */
export const SLAB_BYTES = 64 * 1024;
export const SLAB_UNITS = SLAB_BYTES / UNIT_BYTES;

/** A value up to this size becomes a record; at most a sixteenth of a slab stays empty for want of room. */
export const MAX_RECORD_VALUE_BYTES = 4 * 1024 - HEADER_UNITS * UNIT_BYTES;

/** The units that a record with a value of this size takes. */
export function recordUnits(valueBytes: number): number {
  return HEADER_UNITS + Math.ceil(valueBytes / UNIT_BYTES);
}

/**
 * A piece of memory to which records are appended. Once it has lent a view of any value it is never written again, so
 * the view stays right for as long as somebody holds it: it holds the slab.
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
  /** Whether somebody may hold a view of a value. */
  #isLent = false;
  /** How much its records take, but for those that are gone. Kept by who knows which are. */
  liveUnits = 0;

  /** Where the next record will begin. */
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

  /** A view of the value, which from then on nothing is written over. */
  lendValueAt(unit: number): Uint8Array {
    this.#isLent = true;
    return this.#valueAt(unit);
  }

  /** Appends a copy of a record to another slab. */
  copyTo(slab: Slab, unit: number): void {
    slab.append(this.slotAt(unit), this.#valueAt(unit), this.expiresAtMsAt(unit));
  }

  /** Forgets all records, so that it can be filled anew; false, and nothing done, if somebody may hold a view. */
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
