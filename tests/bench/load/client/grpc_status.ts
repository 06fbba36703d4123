/**
 * Reads `grpc-status` from a block of trailers, for a client that has set SETTINGS_HEADER_TABLE_SIZE to 0: every
 * field is then a literal or from the static table, so one block says all. Source: RFC 7541.
 */

/** The code and its length in bits of each character that matters here. RFC 7541 appendix B. */
const HUFFMAN_CODES: Readonly<Record<string, readonly [code: number, bits: number]>> = {
  "-": [0b010110, 6],
  "0": [0b00000, 5],
  "1": [0b00001, 5],
  "2": [0b00010, 5],
  "3": [0b011001, 6],
  "4": [0b011010, 6],
  "5": [0b011011, 6],
  "6": [0b011100, 6],
  "7": [0b011101, 6],
  "8": [0b011110, 6],
  "9": [0b011111, 6],
  "a": [0b00011, 5],
  "c": [0b00100, 5],
  "g": [0b100110, 6],
  "p": [0b101011, 6],
  "r": [0b101100, 6],
  "s": [0b01000, 5],
  "t": [0b01001, 5],
  "u": [0b101101, 6],
};

/** The size of the static table. RFC 7541 appendix A. */
const STATIC_ENTRIES = 61;

/** The greatest code. Source: grpc/doc/statuscodes.md. */
const MAX_STATUS = 16;

const NAMES = encodings("grpc-status");
const CODE_OF_VALUE = new Map<string, number>();
for (let code = 0; code <= MAX_STATUS; code++) {
  for (const encoding of encodings(String(code))) CODE_OF_VALUE.set(encoding, code);
}

/** The code in a block of trailers, or undefined when it says none. Throws when the block needs a dynamic table. */
export function grpcStatusOf(block: Uint8Array): number | undefined {
  for (let at = 0; at < block.length;) {
    const first = block[at]!;
    const prefixBits = prefixBitsOf(first);
    let index: number;
    [index, at] = readInteger(block, at, prefixBits);
    if (prefixBits === PrefixBits.SIZE_UPDATE) continue;
    if (index > STATIC_ENTRIES) {
      throw new Error(`Cannot read trailers: field ${index} of a table that is off`);
    }
    if (prefixBits === PrefixBits.INDEXED) continue;
    let name = "";
    let value: string;
    if (index === 0) [name, at] = readText(block, at);
    [value, at] = readText(block, at);
    if (NAMES.includes(name)) return CODE_OF_VALUE.get(value);
  }
  return undefined;
}

/** How many bits of a field's first byte begin its index. RFC 7541 section 6. */
const PrefixBits = { INDEXED: 7, INDEXING_LITERAL: 6, SIZE_UPDATE: 5, LITERAL: 4 } as const;

function prefixBitsOf(first: number): number {
  if ((first & 0x80) !== 0) return PrefixBits.INDEXED;
  if ((first & 0x40) !== 0) return PrefixBits.INDEXING_LITERAL;
  if ((first & 0x20) !== 0) return PrefixBits.SIZE_UPDATE;
  return PrefixBits.LITERAL;
}

/** RFC 7541 section 5.1. */
function readInteger(block: Uint8Array, start: number, prefixBits: number): [value: number, end: number] {
  const max = 2 ** prefixBits - 1;
  let value = block[start]! & max;
  let at = start + 1;
  if (value < max) return [value, at];
  for (let factor = 1;; factor *= 0x80) {
    const byte = block[at++] ?? 0;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return [value, at];
  }
}

/** A string with the bit that says whether it is Huffman-coded before it. RFC 7541 section 5.2. */
function readText(block: Uint8Array, start: number): [text: string, end: number] {
  const [length, at] = readInteger(block, start, 7);
  const coding = (block[start]! & 0x80) === 0 ? "plain" : "huffman";
  return [`${coding} ${String.fromCharCode(...block.subarray(at, at + length))}`, at + length];
}

/** The two ways in which {@link readText} may come to see a text. */
function encodings(text: string): string[] {
  return [`plain ${text}`, `huffman ${String.fromCharCode(...huffman(text))}`];
}

function huffman(text: string): number[] {
  let bits = "";
  for (const character of text) {
    const [code, length] = HUFFMAN_CODES[character]!;
    bits += code.toString(2).padStart(length, "0");
  }
  // The beginning of the end-of-string code fills the last byte: ones.
  const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, "1");
  return padded.match(/.{8}/g)!.map((byte) => parseInt(byte, 2));
}
