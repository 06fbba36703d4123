/** Integers with a prefix of some bits. Source: RFC 7541 section 5.1. */
import type { OutputBuffer } from "../output_buffer.ts";
import { CompressionError } from "./header_field.ts";

/** Above any index or length in a block of legal size. Keeps the arithmetic from overflowing. */
const MAX_INTEGER = 2 ** 28;

/** Writes `value` with a prefix of `prefixBits`; `marks` are the bits above the prefix. */
export function writeInteger(out: OutputBuffer, value: number, prefixBits: number, marks: number): void {
  const limit = (1 << prefixBits) - 1;
  if (value < limit) return out.push(marks | value);
  out.push(marks | limit);
  let rest = value - limit;
  while (rest >= 128) {
    out.push((rest & 127) | 128);
    rest >>>= 7;
  }
  out.push(rest);
}

/** Reads the integers of a header block, one after another. */
export class IntegerReader {
  /** The next octet to read. */
  offset = 0;
  end = 0;
  bytes: Uint8Array = new Uint8Array(0);

  reset(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.offset = start;
    this.end = end;
  }

  /** @throws {CompressionError} when the block ends inside the integer, or the integer is out of range. */
  read(prefixBits: number): number {
    const limit = (1 << prefixBits) - 1;
    let value = this.#octet() & limit;
    if (value < limit) return value;
    for (let shift = 0;; shift += 7) {
      const octet = this.#octet();
      value += (octet & 127) * 2 ** shift;
      if (value > MAX_INTEGER || shift > 28) throw new CompressionError("Integer is too large");
      if (octet < 128) return value;
    }
  }

  #octet(): number {
    if (this.offset >= this.end) throw new CompressionError("Header block ends inside a field");
    return this.bytes[this.offset++]!;
  }
}
