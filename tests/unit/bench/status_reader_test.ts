import { assertEquals, assertThrows } from "@std/assert";
import { StatusReader } from "../../bench/load/client/status_reader.ts";

/** Kinds of literal. RFC 7541 section 6.2. */
const INDEXED = 0x40;
const NOT_INDEXED = 0x00;
/** The newest entry of the dynamic table. */
const NEWEST = 0x80 | 62;
const HTTP_OK = 0x88;

function trailers(kind: number, code: number): Uint8Array {
  const text = (value: string) => [value.length, ...new TextEncoder().encode(value)];
  return Uint8Array.of(kind, ...text("grpc-status"), ...text(String(code)));
}

Deno.test("StatusReader.statusOf() distinguishes the statuses of successive calls", () => {
  const reader = new StatusReader();
  const codes = [5, 5, 0, 14, 0, 16, 1, 2, 3, 5];
  assertEquals(codes.map((code) => reader.statusOf(trailers(NOT_INDEXED, code))), codes);
  assertEquals(reader.statusOf(Uint8Array.of(HTTP_OK)), undefined);
  assertEquals(reader.statusOf(new Uint8Array()), undefined);
});

Deno.test("StatusReader.statusOf() reads a block anew when the table that it refers to has changed", () => {
  const reader = new StatusReader();
  assertEquals(reader.statusOf(trailers(INDEXED, 0)), 0);
  assertEquals([reader.statusOf(Uint8Array.of(NEWEST)), reader.statusOf(Uint8Array.of(NEWEST))], [0, 0]);
  assertEquals(reader.statusOf(trailers(INDEXED, 5)), 5);
  assertEquals(reader.statusOf(Uint8Array.of(NEWEST)), 5);
  assertEquals(reader.statusOf(Uint8Array.of(NEWEST + 1)), 0);
});

Deno.test("StatusReader.statusOf() is not misled by a block whose memory is used again", () => {
  const reader = new StatusReader();
  const block = trailers(NOT_INDEXED, 5);
  assertEquals(reader.statusOf(block), 5);
  block.set(trailers(NOT_INDEXED, 0));
  assertEquals(reader.statusOf(block), 0);
});

Deno.test("StatusReader.statusOf() throws on a field that is in no table", () => {
  assertThrows(() => new StatusReader().statusOf(Uint8Array.of(NEWEST)), Error, "No field at index 62");
});
