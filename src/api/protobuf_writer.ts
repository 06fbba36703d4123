/** Writes the protobuf wire format. Source: protobuf.dev/programming-guides/encoding. */

const encoder = new TextEncoder();

/** Room for the first fields of a small message; it grows as needed. */
const INITIAL_BYTES = 256;

/** Collects one message. Fields with their default value are left out, as proto3 asks. */
export class ProtobufWriter {
  #bytes = new Uint8Array(INITIAL_BYTES);
  #at = 0;

  /** A string field. */
  text(field: number, value: string): this {
    return value === "" ? this : this.bytes(field, encoder.encode(value));
  }

  /** A length-delimited field, written even when empty: an embedded message, or one of a repeated field. */
  bytes(field: number, value: Uint8Array): this {
    this.#reserve(value.length + 20);
    this.#varint(field * 8 + 2);
    this.#varint(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
    return this;
  }

  /** An int64, int32 or enum field; a safe integer. */
  integer(field: number, value: number): this {
    if (value === 0) return this;
    this.#reserve(20);
    this.#varint(field * 8);
    this.#varint(value);
    return this;
  }

  /** The message, in a buffer of its own. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }

  #varint(value: number): void {
    this.#at = writeVarint(this.#bytes, this.#at, value);
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + count));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

/** Writes a safe integer at `at` and returns where it ends; negative ones take 10 bytes. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let low = value >>> 0;
  let high = Math.floor(value / 2 ** 32) >>> 0;
  while (high > 0 || low >= 0x80) {
    bytes[at++] = (low & 0x7f) | 0x80;
    low = ((low >>> 7) | (high << 25)) >>> 0;
    high >>>= 7;
  }
  bytes[at++] = low;
  return at;
}

/** How many bytes {@link writeVarint} writes for a number from 0. */
export function varintBytes(value: number): number {
  let count = 1;
  for (; value >= 0x80; value = Math.floor(value / 0x80)) count++;
  return count;
}
