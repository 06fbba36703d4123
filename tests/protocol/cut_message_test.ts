/** Requests whose messages come in several frames, and frames in several chunks. */
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { PREFIX_BYTES } from "../../src/transport/grpc/message_reader.ts";
import { seededRandom } from "../support/seeded_random.ts";
import { data, headers, message, windowUpdate } from "./frames.ts";
import { callHeaders, TestPeer } from "./test_peer.ts";

const SEED = 20_261_126;

Deno.test("Messages that arrive in pieces, among each other, are put together in buffers that come back", () => {
  const random = seededRandom(SEED);
  const buffers = new Set<ArrayBufferLike>();
  const peer = TestPeer.ready({
    requestDeserialize: (bytes) => bytes,
    implementation: {
      unary: (call, callback) => {
        buffers.add(call.request.buffer);
        callback(null, call.request.slice());
      },
    },
  });
  for (let first = 1; first < 200; first += 8) {
    const calls = [0, 2, 4, 6].map((more) => {
      const bytes = new Uint8Array(20_000 + Math.floor(random() * 180_000)).map((_, i) =>
        first + more + i % 251
      );
      return { id: first + more, bytes, octets: message(bytes), sent: 0 };
    });
    for (const { id } of calls) peer.send(headers(id, callHeaders()));
    for (
      let left = calls.slice();
      left.length > 0;
      left = left.filter(({ sent, octets }) => sent < octets.length)
    ) {
      const call = left[Math.floor(random() * left.length)]!;
      const end = Math.min(call.octets.length, call.sent + 1 + Math.floor(random() * 16_384));
      const sent = data(call.id, call.octets.subarray(call.sent, end), end === call.octets.length ? 1 : 0);
      const cut = Math.floor(random() * sent.length);
      peer.send(sent.subarray(0, cut));
      peer.send(sent.subarray(cut));
      call.sent = end;
    }
    for (const { id, bytes } of calls) {
      peer.send(windowUpdate(0, bytes.length + PREFIX_BYTES), windowUpdate(id, bytes.length));
    }
    for (const { id, bytes } of calls) {
      assertEquals(Buffer.compare(peer.response(id).body, message(bytes)), 0, `call ${id}, seed ${SEED}`);
    }
  }
  assert(buffers.size <= 12, `${buffers.size} buffers for 100 calls, of which 4 were in flight`);
});
