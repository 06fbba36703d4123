/** RFC 9113 sections 5.2 and 6.9: no octet beyond a window, and no deadlock within one. */
import { assert, assertEquals } from "@std/assert";
import type { Readable } from "node:stream";
import { Metadata } from "../../src/transport/metadata.ts";
import type { Implementation } from "../../src/transport/service.ts";
import { seededRandom, withSeed } from "../support/seeded_random.ts";
import {
  concat,
  data,
  frame,
  headers,
  message,
  PREFACE,
  rstStream,
  settings,
  windowUpdate,
} from "./frames.ts";
import { callHeaders, TestPeer } from "./test_peer.ts";

const INITIAL_WINDOW_SIZE = 4;
const HEADER_TABLE_SIZE = 1;
const OK = "0";

/** A service whose response has the size that the request asks for. */
const SIZED: Implementation = {
  unary: (call, callback) =>
    callback(null, new Uint8Array(Number(new TextDecoder().decode(call.request))).fill(7)),
};

/** A peer with a small window for each stream. */
function narrowPeer(windowBytes: number, implementation: Implementation = SIZED): TestPeer {
  const peer = new TestPeer({ implementation });
  peer.send(PREFACE, settings([INITIAL_WINDOW_SIZE, windowBytes]));
  peer.received.length = 0;
  return peer;
}

function bodyLength(peer: TestPeer, streamId: number): number {
  return peer.response(streamId).body.length;
}

Deno.test("A window of 0 octets holds back the body but not the headers, and every octet given is used", () => {
  const peer = narrowPeer(0);
  peer.call(1, "10");
  assertEquals(peer.response(1).headers[":status"], "200");
  assertEquals(bodyLength(peer, 1), 0);
  for (let given = 1; given <= 15; given++) {
    assert(!peer.response(1).isEnded);
    peer.send(windowUpdate(1, 1));
    assertEquals(bodyLength(peer, 1), given);
  }
  assertEquals(peer.response(1).body, message("\x07".repeat(10)));
  assertEquals(peer.response(1).trailers["grpc-status"], OK);
});

Deno.test("A window may become negative, and opens only above 0 (RFC 9113 section 6.9.2)", () => {
  const peer = narrowPeer(100);
  peer.call(1, "295");
  assertEquals(bodyLength(peer, 1), 100);
  peer.send(settings([INITIAL_WINDOW_SIZE, 30]));
  peer.send(windowUpdate(1, 70));
  assertEquals(bodyLength(peer, 1), 100);
  peer.send(windowUpdate(1, 1));
  assertEquals(bodyLength(peer, 1), 101);
  peer.send(settings([INITIAL_WINDOW_SIZE, 229]));
  assertEquals(bodyLength(peer, 1), 300);
  assertEquals(peer.response(1).trailers["grpc-status"], OK);
});

Deno.test("The connection's window bounds all streams together, and is shared in turn", () => {
  const peer = narrowPeer(2 ** 31 - 1);
  peer.call(1, "100000");
  peer.call(3, "100000");
  peer.call(5, "100000");
  assertEquals(bodyLength(peer, 1) + bodyLength(peer, 3) + bodyLength(peer, 5), 65_535);
  peer.send(windowUpdate(0, 3 * 16_384));
  for (const streamId of [1, 3, 5]) assert(bodyLength(peer, streamId) >= 16_384 || streamId === 1);
  peer.send(windowUpdate(0, 1_000_000));
  for (const streamId of [1, 3, 5]) {
    assertEquals(bodyLength(peer, streamId), 100_005);
    assertEquals(peer.response(streamId).trailers["grpc-status"], OK);
  }
});

Deno.test("A blocked stream blocks no other", () => {
  const peer = narrowPeer(10);
  peer.call(1, "100");
  peer.call(3, "5");
  assertEquals(peer.response(3).trailers["grpc-status"], OK);
  assert(!peer.response(1).isEnded);
});

Deno.test("A reset drops queued data, and the next stream gets its turn", () => {
  const peer = narrowPeer(2 ** 31 - 1);
  peer.call(1, "1000000");
  peer.call(3, "10");
  assertEquals(bodyLength(peer, 3), 0);
  peer.send(rstStream(1), windowUpdate(0, 15));
  assertEquals(peer.response(3).trailers["grpc-status"], OK);
});

Deno.test("Frames of a body are at most 16,384 octets, whatever the client accepts", () => {
  const peer = new TestPeer({ implementation: SIZED });
  peer.send(
    PREFACE,
    settings([INITIAL_WINDOW_SIZE, 10_000_000], [5, 2 ** 24 - 1]),
    windowUpdate(0, 10_000_000),
  );
  peer.call(1, "1000000");
  assertEquals(bodyLength(peer, 1), 1_000_005);
  assert(peer.received.every(({ payload }) => payload.length <= 16_384));
});

/** The client's account of what the server may send. Throws at the first octet beyond it. */
class WindowBooks {
  readonly bodies = new Map<number, number>();
  readonly #windows = new Map<number, number>();
  #connection = 65_535;
  #initial: number;

  constructor(initial: number) {
    this.#initial = initial;
  }

  open(streamId: number): void {
    this.#windows.set(streamId, this.#initial);
    this.bodies.set(streamId, 0);
  }

  setInitial(bytes: number): void {
    for (const [id, window] of this.#windows) this.#windows.set(id, window + bytes - this.#initial);
    this.#initial = bytes;
  }

  give(streamId: number, bytes: number): void {
    if (streamId === 0) this.#connection += bytes;
    else this.#windows.set(streamId, this.#windows.get(streamId)! + bytes);
  }

  receive(streamId: number, bytes: number): void {
    const window = this.#windows.get(streamId)! - bytes;
    this.#connection -= bytes;
    assert(window >= 0 && this.#connection >= 0, `${bytes} octets on stream ${streamId} are too many`);
    this.#windows.set(streamId, window);
    this.bodies.set(streamId, this.bodies.get(streamId)! + bytes);
  }
}

Deno.test("Any order of windows and settings delivers every body, and never exceeds a window", () =>
  withSeed((seed) => {
    const random = seededRandom(seed);
    const upTo = (limit: number) => Math.floor(random() * limit);
    const peer = narrowPeer(50);
    const books = new WindowBooks(50);
    const expected = new Map<number, number>();
    const exchange = (send: () => void) => {
      send();
      for (const { type, streamId, payload } of peer.received) {
        if (type === 0) books.receive(streamId, payload.length);
      }
      peer.received.length = 0;
    };
    for (let id = 1; id < 40; id += 2) {
      const size = upTo(20_000);
      expected.set(id, size + 5);
      books.open(id);
      exchange(() => peer.call(id, String(size)));
    }
    for (let step = 0; peer.connection.openStreams > 0; step++) {
      assert(step < 20_000, "no progress");
      const kind = upTo(10);
      if (kind === 0) {
        const bytes = upTo(3000);
        books.setInitial(bytes);
        exchange(() => peer.send(settings([INITIAL_WINDOW_SIZE, bytes])));
      } else {
        const id = kind < 4 ? 0 : 1 + 2 * upTo(20);
        const bytes = 1 + upTo(2000);
        books.give(id, bytes);
        exchange(() => peer.send(windowUpdate(id, bytes)));
      }
    }
    assertEquals(books.bodies, expected);
    assertEquals(peer.goaway, undefined);
    return Promise.resolve();
  }));

Deno.test("Octets above a stream's window are a FLOW_CONTROL_ERROR of the stream, above the connection's one of the connection", () => {
  const limits = { streamWindowBytes: 1000, connectionWindowBytes: 65_535 };
  const peer = TestPeer.ready({ limits, implementation: { bidi() {} } });
  peer.send(headers(1, callHeaders("Bidi")), data(1, message(new Uint8Array(995))));
  peer.send(headers(3, callHeaders("Bidi")), data(3, message(new Uint8Array(996))));
  assertEquals(peer.response(1).resetCode, undefined);
  assertEquals(peer.response(3).resetCode, 3);
});

Deno.test("A window below the default counts once the client has acknowledged it (RFC 9113 section 6.9.3)", () => {
  const peer = new TestPeer({ limits: { streamWindowBytes: 1000 }, implementation: { bidi() {} } });
  peer.send(PREFACE, settings(), headers(1, callHeaders("Bidi")), data(1, message(new Uint8Array(9000))));
  assertEquals(peer.response(1).resetCode, undefined);
  peer.send(frame(4, 1, 0), headers(3, callHeaders("Bidi")), data(3, message(new Uint8Array(900))));
  assertEquals(peer.response(3).resetCode, undefined);
  peer.send(data(3, new Uint8Array(100)), data(1, [0]));
  assertEquals(peer.response(1).resetCode, 3);
  assertEquals(peer.response(3).resetCode, 3);
});

Deno.test("A request larger than every window arrives: consumed octets are given back", () => {
  const limits = { streamWindowBytes: 20_000, connectionWindowBytes: 70_000 };
  const peer = TestPeer.ready({
    limits,
    implementation: { unary: (call, callback) => callback(null, Uint8Array.of(call.request.length >>> 16)) },
  });
  const body = message(new Uint8Array(1_000_000));
  let stream = 20_000;
  let connection = 70_000;
  peer.send(headers(1, callHeaders()));
  for (let offset = 0; offset < body.length;) {
    const size = Math.min(stream, connection, 16_384, body.length - offset);
    assert(size > 0, "the windows stay closed");
    peer.send(data(1, body.subarray(offset, offset + size), offset + size === body.length ? 1 : 0));
    offset += size;
    stream -= size;
    connection -= size;
    for (const { type, streamId, payload } of peer.received.splice(0).filter(({ type }) => type === 8)) {
      assertEquals(type, 8);
      const given = new DataView(payload.buffer).getUint32(0);
      if (streamId === 0) connection += given;
      else stream += given;
    }
  }
  peer.call(3);
  assertEquals(peer.response(3).trailers["grpc-status"], OK);
});

Deno.test("Padding counts, and is given back at once", () => {
  const peer = TestPeer.ready({ limits: { streamWindowBytes: 2000 } });
  const body = message("x".repeat(10_000));
  let window = 2000;
  peer.send(headers(1, callHeaders()));
  for (let offset = 0; offset < body.length; offset += 100) {
    const padded = concat([250], body.subarray(offset, offset + 100), new Uint8Array(250));
    window -= padded.length;
    assert(window >= 0, "the window stays closed");
    peer.send(data(1, padded, 8));
    for (const { type, streamId, payload } of peer.received.splice(0)) {
      if (type === 8 && streamId === 1) window += new DataView(payload.buffer).getUint32(0);
    }
  }
});

Deno.test("A handler that does not read closes its stream's window, not the connection's", () => {
  const limits = { streamWindowBytes: 20_000, connectionWindowBytes: 70_000 };
  const peer = TestPeer.ready({
    limits,
    implementation: { bidi() {}, unary: (call, callback) => callback(null, call.request) },
  });
  peer.send(windowUpdate(0, 1_000_000), headers(1, callHeaders("Bidi")));
  for (let i = 0; i < 16; i++) peer.send(data(1, message(new Uint8Array(1200))));
  const updates = peer.received.filter(({ type }) => type === 8).map(({ streamId }) => streamId);
  assertEquals(updates.filter((id) => id === 1), []);
  for (let id = 3; id < 200; id += 2) peer.call(id, "x".repeat(1000));
  assertEquals(peer.response(199).trailers["grpc-status"], OK);
});

Deno.test("A handler that resumes reading opens its stream's window again", async () => {
  let call!: Readable;
  const peer = TestPeer.ready({
    limits: { streamWindowBytes: 2000 },
    implementation: { clientStream: (stream) => call = stream },
  });
  peer.send(headers(1, callHeaders("ClientStream")));
  for (let i = 0; i < 3; i++) peer.send(data(1, message(new Uint8Array(600))));
  assertEquals(peer.received.filter(({ type, streamId }) => type === 8 && streamId === 1), []);
  const { promise, resolve } = Promise.withResolvers<void>();
  let read = 0;
  call.on("data", () => ++read === 3 && resolve());
  await promise;
  peer.read();
  assert(peer.received.some(({ type, streamId }) => type === 8 && streamId === 1));
});

Deno.test("HEADER_TABLE_SIZE 0 between calls empties the table before the next block, and again when it grows", () => {
  const peer = TestPeer.ready();
  peer.call(1);
  peer.call(3);
  peer.send(settings([HEADER_TABLE_SIZE, 0]));
  peer.call(5);
  const first = peer.received.findLast(({ type, flags }) => type === 1 && (flags & 1) === 0)!;
  assertEquals(first.payload[0], 0x20);
  assertEquals(peer.response(5).headers["content-type"], "application/grpc");
  assertEquals(peer.response(5).trailers["grpc-status"], OK);
  peer.send(
    settings([HEADER_TABLE_SIZE, 100]),
    settings([HEADER_TABLE_SIZE, 50]),
    settings([HEADER_TABLE_SIZE, 4096]),
  );
  peer.call(7);
  peer.call(9);
  assertEquals(peer.response(9).trailers["grpc-status"], OK);
  assertEquals(peer.received.at(-1)!.payload.length, 1);
});

Deno.test("Metadata larger than a frame is sent in CONTINUATION frames", () => {
  const metadata = new Metadata();
  metadata.set("x-large", "~".repeat(40_000));
  const peer = TestPeer.ready({
    implementation: { unary: (_call, callback) => callback({ code: 5, details: "", metadata }) },
  });
  peer.call(1);
  assertEquals(peer.received.map(({ type }) => type), [1, 9, 9]);
  assertEquals(peer.received.map(({ flags }) => flags), [1, 0, 4]);
  assertEquals(peer.response(1).trailers["x-large"], "~".repeat(40_000));
});
