import { fieldSizeBytes, type HeaderField } from "./header_field.ts";

/** Evicted slots kept before the array is shortened. */
const COMPACT_AFTER = 64;

/**
 * The decoder's dynamic table: newest first, evicting the oldest. Source: RFC 7541 section 2.3.2 and 4.
 *
 *     #fields  [ evicted .. | oldest ... newest ]
 *                     #first^         index 0 ^
 */
export class DynamicTable {
  #fields: HeaderField[] = [];
  #first = 0;
  #sizeBytes = 0;
  #maxSizeBytes: number;
  #generation = 0;

  constructor(maxSizeBytes: number) {
    this.#maxSizeBytes = maxSizeBytes;
  }

  get length(): number {
    return this.#fields.length - this.#first;
  }

  /** Changes whenever the meaning of an index may have changed. */
  get generation(): number {
    return this.#generation;
  }

  /** The field at `index`, 0 the newest; undefined when there is none. */
  at(index: number): HeaderField | undefined {
    return index < this.length ? this.#fields[this.#fields.length - 1 - index] : undefined;
  }

  /** Adds a field and evicts the oldest to make room. A field larger than the whole table empties it. */
  add(field: HeaderField): void {
    this.#generation++;
    const size = fieldSizeBytes(field);
    this.#evictDownTo(this.#maxSizeBytes - size);
    if (size > this.#maxSizeBytes) return;
    this.#fields.push(field);
    this.#sizeBytes += size;
  }

  resize(maxSizeBytes: number): void {
    this.#generation++;
    this.#maxSizeBytes = maxSizeBytes;
    this.#evictDownTo(maxSizeBytes);
  }

  #evictDownTo(sizeBytes: number): void {
    while (this.#sizeBytes > sizeBytes && this.length > 0) {
      this.#sizeBytes -= fieldSizeBytes(this.#fields[this.#first++]!);
    }
    if (this.#first >= COMPACT_AFTER || this.length === 0) {
      this.#fields = this.#fields.slice(this.#first);
      this.#first = 0;
    }
  }
}
