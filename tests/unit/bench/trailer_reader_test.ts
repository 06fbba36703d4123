import { assertEquals } from "@std/assert";
import { TrailerReader } from "../../bench/load/client/trailer_reader.ts";

function trailers(code: number): Uint8Array {
  const text = (value: string) => [value.length, ...new TextEncoder().encode(value)];
  return Uint8Array.of(0x00, ...text("grpc-status"), ...text(String(code)));
}

Deno.test("TrailerReader.statusOf() tells one call's status from the next one's", () => {
  const reader = new TrailerReader();
  assertEquals([5, 5, 0, 14, 0].map((code) => reader.statusOf(trailers(code))), [5, 5, 0, 14, 0]);
  assertEquals(reader.statusOf(new Uint8Array()), undefined);
});

Deno.test("TrailerReader.statusOf() is not misled by a block whose memory is used again", () => {
  const reader = new TrailerReader();
  const block = trailers(5);
  assertEquals(reader.statusOf(block), 5);
  block.set(trailers(0));
  assertEquals(reader.statusOf(block), 0);
});
