/**
 * Reads the protobuf wire format. Source: protobuf.dev/programming-guides/encoding.
 *
 * Not a library, for two reasons: libraries replace invalid UTF-8 silently, and they copy or re-encode the bytes of an
 * embedded message, which this service stores and returns unchanged.
 */

import { decodeText } from "./utf8_text.ts";

/** How a field's value is laid out. */
export const WireType = { VARINT: 0, FIXED64: 1, LENGTH_DELIMITED: 2, FIXED32: 5 } as const;

/** A varint has at most this many bytes. */
const MAX_VARINT_BYTES = 10;

/** The bytes are no protobuf message. */
export class MalformedMessage extends Error {
  constructor(what: string) {
    super(`is not a protobuf message: ${what}`);
    this.name = "MalformedMessage";
  }
}

/** Walks over a message field by field: {@link next} reads a tag, then the caller reads or skips the value. */
export class ProtobufReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  /** The number of the current field. */
  field = 0;
  /** One of {@link WireType}. */
  wireType = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Moves to the next field; false at the end of the message. */
  next(): boolean {
    if (this.#at === this.#bytes.length) return false;
    const tag = this.#varint();
    this.field = Math.floor(tag / 8);
    this.wireType = tag % 8;
    if (this.field === 0 || tag >= 2 ** 32) throw new MalformedMessage("a field has no valid number");
    return true;
  }

  /** Whether this is the current field. A known number with another wire type is an unknown field. */
  is(field: number, wireType: number): boolean {
    return this.field === field && this.wireType === wireType;
  }

  /** A view of a length-delimited value. */
  bytes(): Uint8Array {
    const end = this.#endOfValue();
    const view = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return view;
  }

  /** The text of a length-delimited value; undefined if it is not UTF-8. */
  text(): string | undefined {
    const end = this.#endOfValue();
    const text = decodeText(this.#bytes, this.#at, end);
    this.#at = end;
    return text;
  }

  /** An int64 or int32: exact up to ±2^53, beyond that the nearest number. */
  integer(): number {
    let low = 0;
    let high = 0;
    for (let index = 0, shift = 0; index < MAX_VARINT_BYTES; index++, shift += 7) {
      const byte = this.#byte();
      if (shift < 28) low |= (byte & 0x7f) << shift;
      else if (shift === 28) {
        low |= (byte & 0x0f) << 28;
        high |= (byte & 0x7f) >> 4;
      } else high |= (byte & 0x7f) << (shift - 32);
      if (byte < 0x80) return (high | 0) * 2 ** 32 + (low >>> 0);
    }
    throw new MalformedMessage("a number has more than 10 bytes");
  }

  /** Skips the value of the current field. */
  skip(): void {
    switch (this.wireType) {
      case WireType.VARINT:
        this.integer();
        return;
      case WireType.FIXED64:
        return this.#advance(8);
      case WireType.LENGTH_DELIMITED:
        this.bytes();
        return;
      case WireType.FIXED32:
        return this.#advance(4);
      default:
        // Proto3 has no groups (3, 4); 6 and 7 do not exist.
        throw new MalformedMessage(`wire type ${this.wireType} is not known`);
    }
  }

  /** Reads a length; returns the end of the value. */
  #endOfValue(): number {
    const length = this.#varint();
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new MalformedMessage("it ends within a field");
    return end;
  }

  #advance(count: number): void {
    if (this.#at + count > this.#bytes.length) throw new MalformedMessage("it ends within a field");
    this.#at += count;
  }

  /** A length or a tag. */
  #varint(): number {
    const value = this.integer();
    if (value < 0) throw new MalformedMessage("a length is negative");
    return value;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new MalformedMessage("it ends within a number");
    return byte;
  }
}
