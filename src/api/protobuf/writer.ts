/** Writes the protobuf wire format. Source: protobuf.dev/programming-guides/encoding. */
import { textLength, writeText } from "./utf8_text.ts";

/** Wire type 2. */
const LENGTH_DELIMITED = 2;

/** UTF-8 takes at most this many bytes for one UTF-16 code unit. */
const MAX_BYTES_PER_UNIT = 3;

/** A text up to this long takes less than 128 bytes, for whose number one byte is enough: it need not be measured. */
const MAX_SHORT_TEXT_UNITS = Math.floor(127 / MAX_BYTES_PER_UNIT);

/** A varint has at most this many bytes. */
const MAX_VARINT_BYTES = 10;

/** Room for the first fields of a small message; it grows as needed. */
const INITIAL_BYTES = 256;

/**
 * Where one message at a time is put together before it is copied out: a typed array costs more than all else that most
 * messages need. Undefined while it is lent. A message that outgrows it takes a larger one, so that this stays small.
 */
let spareBytes: Uint8Array<ArrayBuffer> | undefined = new Uint8Array(4 * 1024);

/** Collects one message. Fields with their default value are left out, as proto3 asks. */
export class ProtobufWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #at = 0;

  private constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
  }

  /** The message that `write` puts together, in a buffer of its own. */
  static encode(write: (message: ProtobufWriter) => void): Uint8Array {
    const lent = spareBytes;
    spareBytes = undefined;
    try {
      const writer = new ProtobufWriter(lent ?? new Uint8Array(INITIAL_BYTES));
      write(writer);
      return writer.#bytes.slice(0, writer.#at);
    } finally {
      spareBytes = lent;
    }
  }

  /** A string field. */
  text(field: number, value: string): this {
    if (value === "") return this;
    if (value.length > MAX_SHORT_TEXT_UNITS) {
      this.#begin(field, textLength(value));
      this.#at = writeText(value, this.#bytes, this.#at);
    } else {
      this.#begin(field, 0);
      const start = this.#at;
      this.#reserve(value.length * MAX_BYTES_PER_UNIT);
      this.#at = writeText(value, this.#bytes, start);
      this.#bytes[start - 1] = this.#at - start;
    }
    return this;
  }

  /** A length-delimited field, written even when empty: an encoded message, or one of a repeated field. */
  bytes(field: number, value: Uint8Array): this {
    this.#begin(field, value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
    return this;
  }

  /** An embedded message, written even when empty. */
  message(field: number, write: (message: ProtobufWriter) => void): this {
    // Room for the one byte that the length of most takes.
    this.#begin(field, 0);
    const start = this.#at;
    write(this);
    const length = this.#at - start;
    const moreBytes = varintBytes(length) - 1;
    this.#reserve(moreBytes);
    if (moreBytes > 0) this.#bytes.copyWithin(start + moreBytes, start, this.#at);
    writeVarint(this.#bytes, start - 1, length);
    this.#at += moreBytes;
    return this;
  }

  /** An int64, int32 or enum field; a safe integer. */
  integer(field: number, value: number): this {
    if (value === 0) return this;
    this.#reserve(2 * MAX_VARINT_BYTES);
    this.#varint(field * 8);
    this.#varint(value);
    return this;
  }

  /** Writes what stands before a value of this length, and makes room for it. */
  #begin(field: number, length: number): void {
    this.#reserve(2 * MAX_VARINT_BYTES + length);
    this.#varint(field * 8 + LENGTH_DELIMITED);
    this.#varint(length);
  }

  #varint(value: number): void {
    this.#at = writeVarint(this.#bytes, this.#at, value);
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + count));
    larger.set(this.#bytes.subarray(0, this.#at));
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

/** How many bytes {@link writeVarint} writes. */
export function varintBytes(value: number): number {
  if (value < 0) return MAX_VARINT_BYTES;
  let count = 1;
  for (; value >= 0x80; value = Math.floor(value / 0x80)) count++;
  return count;
}
