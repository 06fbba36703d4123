/**
 * Huffman coding of header strings. Source: RFC 7541 section 5.2.
 *
 * The decoder walks the code's tree four bits at a time through a table made at start: its states are the
 * tree's 256 inner nodes. No code is shorter than five bits, so a step ends at most one symbol.
 */
import { CompressionError } from "./compression_error.ts";
import { HUFFMAN_CODE_LENGTHS } from "./huffman_code_lengths.ts";

const END_OF_STRING = 256;
/** Padding is at most seven one-bits. Source: RFC 7541 section 5.2. */
const MAX_PADDING_BITS = 7;

/** Entry of {@link steps}: the next state in the low eight bits, the symbol in the next, and these marks. */
const EMITS = 1 << 16;
const FAILS = 1 << 17;

const codes = canonicalCodes();
const nodes = buildTree();
const steps = buildSteps();
const endStates = buildEndStates();

/** Octets that `text` takes when coded. */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i++) bits += HUFFMAN_CODE_LENGTHS[text.charCodeAt(i)]!;
  return (bits + 7) >> 3;
}

/** Writes the code of `text` at `offset`; the caller has made room for {@link huffmanLength} octets. */
export function huffmanEncode(text: string, target: Uint8Array, offset: number): void {
  let pending = 0;
  let pendingBits = 0;
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i);
    let bitsLeft = HUFFMAN_CODE_LENGTHS[symbol]!;
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
 * Decodes `source[start..end)` into `target` and returns the number of octets. The target has room for
 * {@link maxDecodedLength} of them.
 * @throws {CompressionError} on the end-of-string symbol, or on padding that is long or not of ones.
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

/** The most octets that `encodedLength` coded ones stand for: the shortest code has five bits. */
export function maxDecodedLength(encodedLength: number): number {
  return Math.floor(encodedLength * 8 / 5);
}

function canonicalCodes(): Uint32Array {
  const symbols = HUFFMAN_CODE_LENGTHS.map((_, symbol) => symbol);
  symbols.sort((a, b) => HUFFMAN_CODE_LENGTHS[a]! - HUFFMAN_CODE_LENGTHS[b]! || a - b);
  const result = new Uint32Array(symbols.length);
  let code = 0;
  let length = HUFFMAN_CODE_LENGTHS[symbols[0]!]!;
  for (const symbol of symbols) {
    code <<= HUFFMAN_CODE_LENGTHS[symbol]! - length;
    length = HUFFMAN_CODE_LENGTHS[symbol]!;
    result[symbol] = code++;
  }
  return result;
}

/** Inner nodes: the child for bit 0 and for bit 1. A leaf is `-1 - symbol`. */
function buildTree(): [number, number][] {
  const tree: [number, number][] = [[0, 0]];
  HUFFMAN_CODE_LENGTHS.forEach((length, symbol) => {
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

/** States in which a string may end: those that up to seven one-bits reach from the root. */
function buildEndStates(): Uint8Array {
  const result = new Uint8Array(nodes.length);
  let node = 0;
  for (let bits = 0; bits <= MAX_PADDING_BITS; bits++) {
    result[node] = 1;
    node = nodes[node]![1];
  }
  return result;
}
