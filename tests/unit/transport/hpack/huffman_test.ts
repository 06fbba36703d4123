import { assertEquals } from "@std/assert";
import {
  huffmanDecode,
  huffmanEncode,
  huffmanLength,
  maxDecodedLength,
} from "../../../../src/transport/hpack/huffman.ts";

function encode(text: string): Uint8Array {
  const bytes = new Uint8Array(huffmanLength(text));
  huffmanEncode(text, bytes, 0);
  return bytes;
}

function decode(bytes: Uint8Array): string {
  const target = new Uint8Array(maxDecodedLength(bytes.length));
  return String.fromCharCode(...target.subarray(0, huffmanDecode(bytes, 0, bytes.length, target)));
}

for (
  const [text, hex] of [
    ["www.example.com", "f1e3c2e5f23a6ba0ab90f4ff"],
    ["no-cache", "a8eb10649cbf"],
    ["302", "6402"],
    ["https://www.example.com", "9d29ad171863c78f0b97c8e9ae82ae43d3"],
    ["", ""],
  ] as const
) {
  Deno.test(`huffmanEncode() and huffmanDecode() agree with RFC 7541 on ${JSON.stringify(text)}`, () => {
    assertEquals(encode(text).toHex(), hex);
    assertEquals(decode(encode(text)), text);
  });
}

Deno.test("huffmanDecode() reverses huffmanEncode() for every pair of octets", () => {
  for (let a = 0; a < 256; a++) {
    for (let b = 0; b < 256; b++) {
      const text = String.fromCharCode(a, b);
      assertEquals(decode(encode(text)), text);
    }
  }
});
