/** RFC 9113 section 10.5.1: requests whose header block is too large. */
import { assertEquals, assertMatch } from "@std/assert";
import { ascii, concat, data, frame, headerBlock, message } from "./frames.ts";
import { callHeaders, TestPeer } from "./test_peer.ts";

const OK = "0";
const RESOURCE_EXHAUSTED = "8";
const ENHANCE_YOUR_CALM = 11;

Deno.test("Request headers above the limit end their call with RESOURCE_EXHAUSTED, not the connection", () => {
  const peer = TestPeer.ready();
  const block = headerBlock(callHeaders());
  // One literal of 4,000 octets that is indexed, then referred to: the list is larger than its block.
  const indexed = concat([0x40, 3], ascii("x-a"), [127, 0x80 | 33, 30], new Uint8Array(4000).fill(97));
  peer.send(frame(1, 5, 1, concat(block, indexed, new Uint8Array(8).fill(0xbe))));
  assertEquals(peer.response(1).trailers["grpc-status"], RESOURCE_EXHAUSTED);
  assertMatch(peer.response(1).trailers["grpc-message"]!, /too large/);
  peer.send(frame(1, 4, 3, concat(block, [0xbe])), data(3, message("x"), 1));
  assertEquals(peer.response(3).trailers["grpc-status"], OK);
});

/** A call's header block of this many octets, in HEADERS and CONTINUATION frames of 16 KiB at most. */
function largeCall(streamId: number, blockBytes: number): Uint8Array {
  const indexed = concat([0x40, 3], ascii("x-a"), [4], ascii("late"));
  const parts = [headerBlock(callHeaders()), indexed];
  let left = blockBytes - parts[0]!.length - indexed.length;
  for (; left > 4000; left -= 2000) parts.splice(1, 0, headerBlock([["x-large", "y".repeat(2000 - 12)]]));
  parts.splice(1, 0, headerBlock([["x-large", "y".repeat(left - 12)]]));
  const block = concat(...parts);
  assertEquals(block.length, blockBytes);
  const frames: Uint8Array[] = [];
  for (let at = 0; at < block.length; at += 16_384) {
    const flags = at + 16_384 >= block.length ? 4 : 0;
    frames.push(frame(at === 0 ? 1 : 9, flags, streamId, block.subarray(at, at + 16_384)));
  }
  return concat(...frames);
}

for (const blockBytes of [17_000, 32_768, 65_536]) {
  Deno.test(`A header block of ${blockBytes} octets ends its call with RESOURCE_EXHAUSTED; other calls continue, and the table is right`, () => {
    const callbacks: (() => void)[] = [];
    const seen: unknown[] = [];
    const peer = TestPeer.ready({
      implementation: {
        unary: (call, callback) => {
          seen.push(call.metadata.get("x-a"));
          callbacks.push(() => callback(null, call.request));
        },
      },
    });
    peer.call(1, "under way");
    peer.send(largeCall(3, blockBytes), data(3, message("x"), 1));
    assertEquals(peer.response(3).trailers["grpc-status"], RESOURCE_EXHAUSTED);
    assertMatch(peer.response(3).trailers["grpc-message"]!, /request headers are too large/);
    // The large block has put its last field into the table, and the next call refers to it.
    peer.send(frame(1, 4, 5, concat(headerBlock(callHeaders()), [0xbe])), data(5, message("next"), 1));
    for (const answer of callbacks) answer();
    peer.read();
    assertEquals(seen, [[], ["late"]]);
    assertEquals(peer.response(1).body, message("under way"));
    assertEquals(peer.response(5).body, message("next"));
    assertEquals(peer.goaway, undefined);
  });
}

Deno.test("A header block of 65,537 octets ends the connection", () => {
  const peer = TestPeer.ready();
  peer.send(largeCall(1, 65_537));
  assertEquals(peer.goaway?.code, ENHANCE_YOUR_CALM);
  assertMatch(peer.goaway!.debugData, /header block exceeds 65536 octets/);
});
