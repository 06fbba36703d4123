/**
 * Huffman coding of header strings. Source: RFC 7541 section 5.2.
 *
 * The decoder walks the code's tree four bits at a time through a table that is made at start. Its states are the
 * tree's 256 inner nodes. No code is shorter than five bits, so a step completes at most one symbol.
 */
import { CompressionError } from "./header_field.ts";

const END_OF_STRING = 256;
/** Padding is at most seven one-bits. Source: RFC 7541 section 5.2. */
const MAX_PADDING_BITS = 7;

/** An entry of {@link steps}: the next state in the low eight bits, the symbol in the next eight, and these marks. */
const EMITS = 1 << 16;
const FAILS = 1 << 17;

/**
 * Bits of the code of every octet, and of the end-of-string symbol at index 256. The code is canonical: codes of one
 * length count up in the order of their symbols, so the lengths define it. Source: RFC 7541 appendix B.
 */
// deno-fmt-ignore -- sixteen octets a line
const CODE_LENGTHS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];

const codes = canonicalCodes();
const nodes = buildTree();
const steps = buildSteps();
const endStates = buildEndStates();

/** Octets of `text` when coded. */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i++) bits += CODE_LENGTHS[text.charCodeAt(i)]!;
  return (bits + 7) >> 3;
}

/** Writes the code of `text` at `offset`. There must be room for {@link huffmanLength} octets. */
export function huffmanEncode(text: string, target: Uint8Array, offset: number): void {
  let pending = 0;
  let pendingBits = 0;
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i);
    let bitsLeft = CODE_LENGTHS[symbol]!;
    const code = codes[symbol]!;
    while (bitsLeft > 0) {
      const taken = Math.min(8 - pendingBits, bitsLeft);
      bitsLeft -= taken;
      pending = (pending << taken) | ((code >>> bitsLeft) & ((1 << taken) - 1));
      pendingBits += taken;
      if (pendingBits === 8) {
        target[offset++] = pending;
        pending = 0;
        pendingBits = 0;
      }
    }
  }
  if (pendingBits > 0) target[offset] = (pending << (8 - pendingBits)) | (0xff >> pendingBits);
}

/**
 * Decodes `source[start..end)` into `target` and returns the number of octets. There must be room for
 * {@link maxDecodedLength} of them.
 * @throws {CompressionError} on the end-of-string symbol, or on padding that is too long or not all ones.
 */
export function huffmanDecode(source: Uint8Array, start: number, end: number, target: Uint8Array): number {
  let state = 0;
  let length = 0;
  for (let i = start; i < end; i++) {
    const octet = source[i]!;
    let step = steps[(state << 4) | (octet >> 4)]!;
    if (step & EMITS) target[length++] = (step >> 8) & 0xff;
    const failed = step & FAILS;
    step = steps[((step & 0xff) << 4) | (octet & 15)]!;
    if (step & EMITS) target[length++] = (step >> 8) & 0xff;
    if (failed | (step & FAILS)) throw new CompressionError("Huffman code holds the end-of-string symbol");
    state = step & 0xff;
  }
  if (endStates[state] === 0) throw new CompressionError("Huffman code ends in wrong padding");
  return length;
}

/** The most octets that `encodedLength` coded octets decode to: the shortest code has five bits. */
export function maxDecodedLength(encodedLength: number): number {
  return Math.floor(encodedLength * 8 / 5);
}

function canonicalCodes(): Uint32Array {
  const symbols = CODE_LENGTHS.map((_, symbol) => symbol);
  symbols.sort((a, b) => CODE_LENGTHS[a]! - CODE_LENGTHS[b]! || a - b);
  const result = new Uint32Array(symbols.length);
  let code = 0;
  let length = CODE_LENGTHS[symbols[0]!]!;
  for (const symbol of symbols) {
    code <<= CODE_LENGTHS[symbol]! - length;
    length = CODE_LENGTHS[symbol]!;
    result[symbol] = code++;
  }
  return result;
}

/** Inner nodes: the child for bit 0 and for bit 1. A leaf is `-1 - symbol`. */
function buildTree(): [number, number][] {
  const tree: [number, number][] = [[0, 0]];
  CODE_LENGTHS.forEach((length, symbol) => {
    let node = 0;
    for (let bit = length - 1; bit > 0; bit--) {
      const branch = ((codes[symbol]! >>> bit) & 1) as 0 | 1;
      if (tree[node]![branch] === 0) tree[node]![branch] = tree.push([0, 0]) - 1;
      node = tree[node]![branch];
    }
    tree[node]![(codes[symbol]! & 1) as 0 | 1] = -1 - symbol;
  });
  return tree;
}

function buildSteps(): Uint32Array {
  const result = new Uint32Array(nodes.length << 4);
  for (let state = 0; state < nodes.length; state++) {
    for (let nibble = 0; nibble < 16; nibble++) result[(state << 4) | nibble] = stepFrom(state, nibble);
  }
  return result;
}

function stepFrom(state: number, nibble: number): number {
  let node = state;
  let marks = 0;
  for (let bit = 3; bit >= 0; bit--) {
    node = nodes[node]![((nibble >> bit) & 1) as 0 | 1];
    if (node >= 0) continue;
    const symbol = -1 - node;
    if (symbol === END_OF_STRING) return FAILS;
    marks = EMITS | (symbol << 8);
    node = 0;
  }
  return marks | node;
}

/** States in which a string may end: those reached from the root by up to seven one-bits. */
function buildEndStates(): Uint8Array {
  const result = new Uint8Array(nodes.length);
  let node = 0;
  for (let bits = 0; bits <= MAX_PADDING_BITS; bits++) {
    result[node] = 1;
    node = nodes[node]![1];
  }
  return result;
}
