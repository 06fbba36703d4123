/** Responses that are written into the connection's output: the same octets as serialized ones, whatever the windows. */
import { assert, assertEquals } from "@std/assert";
import type { Implementation, MessageWriter } from "../../src/transport/service.ts";
import { Status } from "../../src/transport/status.ts";
import { seededRandom, withSeed } from "../support/seeded_random.ts";
import { message, PREFACE, settings, windowUpdate } from "./frames.ts";
import { TestPeer } from "./test_peer.ts";

const INITIAL_WINDOW_SIZE = 4;

const WRITER: MessageWriter<Uint8Array> = {
  byteLength: (value) => value.length,
  write: (value, bytes, at) => bytes.set(value, at),
  pieces: (value) => [value.subarray(0, 1), value.subarray(1, 20_000), value.subarray(20_000)],
};

/** `length` octets, each its own index modulo 256. */
function octets(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => index);
}

/** A service whose response has the size that the request asks for. */
const SIZED: Implementation = {
  unary: (call, callback) => callback(null, octets(Number(new TextDecoder().decode(call.request)))),
};

Deno.test("A written response arrives like a serialized one, in windows of any size", () =>
  withSeed((seed) => {
    const random = seededRandom(seed);
    const edges = [0, 1, 16_378, 16_379, 16_380, 65_530, 65_531, 200_000];
    const drawn = Array.from({ length: 30 }, () => Math.floor(random() ** 3 * 150_000));
    for (const length of [...edges, ...drawn]) {
      const windowBytes = Math.floor(random() ** 2 * 200_000);
      const peers = [{ responseWriter: WRITER }, {}].map((options) => {
        const peer = new TestPeer({ ...options, implementation: SIZED });
        peer.send(PREFACE, settings([INITIAL_WINDOW_SIZE, windowBytes]));
        peer.received.length = 0;
        peer.call(1, `${length}`);
        return peer;
      });
      const [written, serialized] = peers.map((peer) => peer.response(1));
      assertEquals(written, serialized, `${length} octets in a window of ${windowBytes}`);
      for (const peer of peers) {
        peer.send(windowUpdate(0, 1_000_000), windowUpdate(1, 1_000_000));
        assertEquals(peer.response(1).body, message(octets(length)));
        assertEquals(peer.response(1).trailers["grpc-status"], "0");
      }
    }
    return Promise.resolve();
  }));

Deno.test("A writer that throws ends only its call, with INTERNAL, and leaves nothing in the output", () => {
  const failIfBad = (value: Uint8Array) => {
    if (value.length % 2 === 1) throw new TypeError("x is undefined");
  };
  const responseWriter: MessageWriter<Uint8Array> = {
    ...WRITER,
    write(value, bytes, at) {
      bytes.fill(0xee, at, at + value.length);
      failIfBad(value);
      WRITER.write(value, bytes, at);
    },
    pieces(value) {
      failIfBad(value);
      return WRITER.pieces(value);
    },
  };
  // The first is written, the second has to wait.
  for (const length of [4, 20_000]) {
    const peer = TestPeer.ready({ responseWriter, implementation: SIZED });
    peer.call(1, `${length + 1}`);
    peer.call(3, `${length}`);
    assertEquals(peer.response(1).trailers["grpc-status"], `${Status.INTERNAL}`);
    assertEquals(peer.response(1).body.length, 0);
    assertEquals(peer.response(3).body, message(octets(length)));
    assert(peer.errors.some((error) => error instanceof TypeError));
  }
});
