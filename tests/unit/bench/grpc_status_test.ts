import { assertEquals, assertThrows } from "@std/assert";
import { grpcStatusOf } from "../../bench/load/client/grpc_status.ts";

const encoder = new TextEncoder();

/** `grpc-status` as nghttp2 and grpc-go code it. */
const HUFFMAN_NAME = [0x88, 0x9a, 0xca, 0xc8, 0xb2, 0x12, 0x34, 0xda, 0x8f];
const PLAIN_NAME = plain("grpc-status");

Deno.test("grpcStatusOf() reads every code, plain and Huffman-coded, whatever kind of literal it is", () => {
  for (let code = 0; code <= 16; code++) {
    for (const literal of [0x00, 0x10, 0x40]) {
      assertEquals(grpcStatusOf(Uint8Array.of(literal, ...PLAIN_NAME, ...plain(String(code)))), code);
      assertEquals(grpcStatusOf(Uint8Array.of(literal, ...HUFFMAN_NAME, ...plain(String(code)))), code);
    }
  }
  // RFC 7541 appendix B: "1" is 00001, "5" is 011011 and "6" is 011100; ones fill the byte.
  assertEquals(grpcStatusOf(Uint8Array.of(0x40, ...HUFFMAN_NAME, 0x81, 0b01101111)), 5);
  assertEquals(grpcStatusOf(Uint8Array.of(0x40, ...HUFFMAN_NAME, 0x82, 0b00001011, 0b10011111)), 16);
});

Deno.test("grpcStatusOf() looks behind table size updates, indexed fields and other literals", () => {
  const tableOff = [0x20];
  const status200 = [0x88];
  const date = [0x0f, 0x12, ...plain("now")];
  const longMessage = [0x00, ...plain("grpc-message"), ...plainLong("x".repeat(300))];
  assertEquals(
    grpcStatusOf(
      Uint8Array.of(...tableOff, ...status200, ...date, ...longMessage, 0x00, ...PLAIN_NAME, ...plain("14")),
    ),
    14,
  );
});

Deno.test("grpcStatusOf() is undefined where there is no status or none that gRPC knows", () => {
  assertEquals(grpcStatusOf(new Uint8Array()), undefined);
  assertEquals(grpcStatusOf(Uint8Array.of(0x88)), undefined);
  assertEquals(grpcStatusOf(Uint8Array.of(0x00, ...PLAIN_NAME, ...plain("17"))), undefined);
});

Deno.test("grpcStatusOf() throws when a field is in a dynamic table, which the client has turned off", () => {
  assertThrows(() => grpcStatusOf(Uint8Array.of(0x80 | 62)), Error, "field 62");
});

function plain(text: string): number[] {
  return [text.length, ...encoder.encode(text)];
}

/** A length of 127 or more, over several bytes. RFC 7541 section 5.1. */
function plainLong(text: string): number[] {
  const rest = text.length - 127;
  return [0x7f, rest & 0x7f | 0x80, rest >> 7, ...encoder.encode(text)];
}
