/** Writes the protobuf wire format. Source: protobuf.dev/programming-guides/encoding. */
import { textLength, writeText } from "./utf8_text.ts";

/** Wire type 2. */
const LENGTH_DELIMITED = 2;

/** UTF-8 takes at most this many bytes for one UTF-16 code unit. */
const MAX_BYTES_PER_UNIT = 3;

/** A text up to this long takes less than 128 bytes, so its length takes one byte and need not be known in advance. */
const MAX_SHORT_TEXT_UNITS = Math.floor(127 / MAX_BYTES_PER_UNIT);

/** A varint has at most this many bytes. */
const MAX_VARINT_BYTES = 10;

/** The size of a new buffer; it grows as needed. */
const INITIAL_BYTES = 256;

/**
 * The buffer in which one message at a time is built before it is copied out: allocating a typed array costs more than
 * the rest of most messages. Undefined while in use. A message that outgrows it moves to a buffer of its own.
 */
let spareBytes: Uint8Array<ArrayBuffer> | undefined = new Uint8Array(4 * 1024);

/** Builds one message. Leaves out fields with their default value, as proto3 requires. */
export class ProtobufWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #at = 0;

  private constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
  }

  /** The message that `write` builds, in a buffer of its own. */
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

  /** A length-delimited field, written also if empty: an encoded message, or an element of a repeated field. */
  bytes(field: number, value: Uint8Array): this {
    this.#begin(field, value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
    return this;
  }

  /** An embedded message, written also if empty. */
  message(field: number, write: (message: ProtobufWriter) => void): this {
    // With one byte for the length, which is enough for most.
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

  /** Writes the tag and the length of a value, and makes room for the value. */
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

/** Writes a safe integer at `at` and returns its end; a negative one takes 10 bytes. */
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

/** The number of bytes that {@link writeVarint} writes. */
export function varintBytes(value: number): number {
  if (value < 0) return MAX_VARINT_BYTES;
  let count = 1;
  for (; value >= 0x80; value = Math.floor(value / 0x80)) count++;
  return count;
}
