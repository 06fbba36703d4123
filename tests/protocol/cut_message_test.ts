/** Requests whose messages come in several frames, and frames in several chunks. */
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { PREFIX_BYTES } from "../../src/transport/grpc/message_reader.ts";
import { seededRandom } from "../support/seeded_random.ts";
import { BufferPool } from "../../src/transport/buffer_pool.ts";
import { DEFAULT_HTTP2_LIMITS } from "../../src/transport/http2/limits.ts";
import { data, headers, message, settings, uint32, windowUpdate } from "./frames.ts";
import { callHeaders, TestPeer, type TestPeerOptions } from "./test_peer.ts";

const SEED = 20_261_126;

Deno.test("Interleaved pieces of messages are joined in buffers that return to the pool", () => {
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
  assert(buffers.size <= 12, `${buffers.size} buffers for 100 calls, 4 of them in flight`);
});

Deno.test("No call is answered from another client's request, however much output waits", () => {
  const { maxQueuedOutputBytes } = DEFAULT_HTTP2_LIMITS;
  const later: (() => void)[] = [];
  const options: TestPeerOptions = {
    pool: new BufferPool(),
    requestDeserialize: (bytes) => bytes,
    implementation: {
      // A request of four octets asks for a response of that size, one of one octet is answered later, and others get
      // back their first octet.
      unary: ({ request }, callback) => {
        if (request.length === 1) later.push(() => callback(null, new Uint8Array(100)));
        else if (request.length !== 4) callback(null, request.slice(0, 1));
        else callback(null, new Uint8Array(new DataView(request.buffer, request.byteOffset).getUint32(0)));
      },
    },
  };
  const [client, other] = [TestPeer.ready(options), TestPeer.ready(options)];
  // Queued responses are 5 octets below the limit.
  client.send(settings([4, 0]), headers(1, callHeaders()), data(1, message("x"), 1));
  let id = 3;
  for (let left = maxQueuedOutputBytes - PREFIX_BYTES; left > 0; id += 2) {
    const size = Math.min(left, 300_000);
    const asked = message(Uint8Array.from(uint32(size - PREFIX_BYTES)));
    client.send(headers(id, callHeaders()), data(id, asked, 1));
    left -= size;
  }
  const octets = message(new Uint8Array(140_000).fill(0xaa));
  // Half of the stream's window: with the last frame comes a WINDOW_UPDATE, which is above the limit.
  const cut = 128 * 1024 - 100;
  client.send(headers(id, callHeaders()));
  for (let at = 0; at < cut; at += 16_000) {
    client.send(data(id, octets.subarray(at, Math.min(cut, at + 16_000))));
  }
  client.connection.receive(data(id, octets.subarray(cut), 1));
  later[0]!();
  client.read();
  const others = message(new Uint8Array(140_000).fill(0xbb));
  other.send(headers(1, callHeaders()));
  for (let at = 0; at < 128_000; at += 16_000) other.send(data(1, others.subarray(at, at + 16_000)));
  const room = 2 * maxQueuedOutputBytes;
  client.send(windowUpdate(0, room), windowUpdate(3, room), windowUpdate(id, room));
  assertEquals(client.response(id).body.at(-1), 0xaa);
});
