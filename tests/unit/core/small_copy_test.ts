import { assert, assertEquals } from "@std/assert";
import { smallCopy } from "../../../src/core/small_copy.ts";

Deno.test("smallCopy() gives every copy octets of its own, whatever becomes of the original", () => {
  const sizes = [0, 1, 100, 4_095, 4_096, 4_097, 70_000];
  const copies = Array.from({ length: 300 }, (_, index) => {
    const original = new Uint8Array(sizes[index % sizes.length]!).fill(index);
    const copy = smallCopy(original);
    original.fill(0xee);
    return copy;
  });
  for (const [index, copy] of copies.entries()) {
    assertEquals(copy, new Uint8Array(sizes[index % sizes.length]!).fill(index));
  }
});

Deno.test("smallCopy() puts small copies side by side, and a large one into a buffer of its own", () => {
  const small = Array.from({ length: 10 }, () => smallCopy(new Uint8Array(10)));
  assert(new Set(small.map(({ buffer }) => buffer)).size <= 2);
  const large = smallCopy(new Uint8Array(5_000));
  assertEquals(large.buffer.byteLength, 5_000);
});
