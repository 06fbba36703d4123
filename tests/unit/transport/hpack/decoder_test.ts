import { assert, assertEquals, assertThrows } from "@std/assert";
import { CompressionError } from "../../../../src/transport/hpack/header_field.ts";
import { HpackDecoder } from "../../../../src/transport/hpack/decoder.ts";
import { HPACK_EXAMPLES } from "./vectors.ts";

const MAX_LIST_BYTES = 16_384;

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (octet) => parseInt(octet, 16));
}

function decode(
  decoder: HpackDecoder,
  hex: string,
  maxListBytes = MAX_LIST_BYTES,
): (readonly [string, string])[] {
  const block = bytes(hex);
  return decoder.decode(block, 0, block.length, maxListBytes).fields.map(({ name, value }) =>
    [name, value] as const
  );
}

for (const { maxTableBytes, blocks } of HPACK_EXAMPLES) {
  Deno.test(`HpackDecoder.decode() follows RFC 7541 appendix ${blocks.map(({ section }) => section).join(", ")}`, () => {
    const decoder = new HpackDecoder(maxTableBytes);
    for (const { section, hex, fields } of blocks) {
      assertEquals(decode(decoder, hex), fields.map(([name, value]) => [name, value] as const), section);
    }
  });
}

const BROKEN: readonly (readonly [what: string, hex: string])[] = [
  ["index 0", "80"],
  ["an index beyond both tables", "be"],
  ["a name index beyond both tables", "7f00 0161".replace(" ", "")],
  ["an end inside an integer", "ff"],
  ["an integer of too many octets", "ff8080808080808001"],
  ["an integer beyond 2^28", "ffffffffff7f"],
  ["an end inside a name", "400461"],
  ["an end before the value", "400161"],
  ["a string longer than the block", "40ff9f7f"],
  ["a table above the announced size", "3fe21f"],
  ["a table size update after a field", "8220"],
  ["Huffman padding of 8 bits", "400182ffff00"],
  ["Huffman padding of zeros", "4081000161"],
  ["the end-of-string symbol", "4084ffffffff0161"],
];

for (const [what, hex] of BROKEN) {
  Deno.test(`HpackDecoder.decode() refuses ${what}`, () => {
    assertThrows(() => decode(new HpackDecoder(4096), hex), CompressionError);
  });
}

Deno.test("HpackDecoder.decode() keeps the table right when the list is above the limit", () => {
  const decoder = new HpackDecoder(4096);
  assertEquals(decode(decoder, "4001610162" + "4001630164", 40), [["a", "b"]]);
  assertEquals(decode(decoder, "bebf"), [["c", "d"], ["a", "b"]]);
});

Deno.test("HpackDecoder.decode() returns the size of a list even when it does not keep the fields", () => {
  const block = bytes("828284");
  assertEquals(new HpackDecoder(4096).decode(block, 0, 3, 42).sizeBytes, 42 + 42 + 38);
});

Deno.test("HpackDecoder.decode() empties the table at size 0 and for an entry above it", () => {
  const decoder = new HpackDecoder(4096);
  decode(decoder, "4001610162");
  decode(decoder, "20" + "3f01");
  assertThrows(() => decode(decoder, "be"), CompressionError);
  const small = new HpackDecoder(40);
  decode(small, "4001610162");
  decode(small, "400161" + "09" + "616263646566676869");
  assertThrows(() => decode(small, "be"), CompressionError);
});

Deno.test("HpackDecoder.generation changes only with the table", () => {
  const decoder = new HpackDecoder(4096);
  const start = decoder.generation;
  decode(decoder, "828684");
  decode(decoder, "040c2f73616d706c652f70617468");
  assertEquals(decoder.generation, start);
  decode(decoder, "4001610162");
  assert(decoder.generation !== start);
});

Deno.test("HpackDecoder.decode() evicts the oldest of many entries", () => {
  const decoder = new HpackDecoder(34 * 3);
  for (let i = 0; i < 500; i++) decode(decoder, "400161" + "01" + (33 + i % 90).toString(16));
  const last = [499, 498, 497].map((i) => ["a", String.fromCharCode(33 + i % 90)] as const);
  assertEquals(decode(decoder, "bebfc0"), last);
  assertThrows(() => decode(decoder, "c1"), CompressionError);
});
