/** RFC 9113 section 10.5: hostile clients, limit by limit, with the default limits. */
import { MessageMemory } from "../../src/transport/grpc/message_memory.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { DEFAULT_HTTP2_LIMITS } from "../../src/transport/http2/limits.ts";
import { DEFAULT_CONNECTION_AGE, spreadAge } from "../../src/transport/http2/watchdog.ts";
import type { Implementation } from "../../src/transport/service.ts";
import {
  ascii,
  concat,
  data,
  frame,
  headerBlock,
  headers,
  message,
  ping,
  PREFACE,
  rstStream,
  settings,
  windowUpdate,
} from "./frames.ts";
import { callHeaders, TestPeer, type TestPeerOptions } from "./test_peer.ts";

const ENHANCE_YOUR_CALM = 11;
const REFUSED_STREAM = 7;
const SETTINGS_TIMEOUT = 4;
const RESOURCE_EXHAUSTED = "8";

/** The most memory that a flood may leave. */
const MAX_GROWTH_BYTES = 32 * 1024 * 1024;

const HANGING: Implementation = { unary() {}, bidi() {} };

/** A flood: the frames that are sent in each round. */
interface Flood {
  readonly name: string;
  readonly round: (i: number) => Uint8Array;
  /** In the text of the GOAWAY. */
  readonly reason: string;
  readonly options?: TestPeerOptions;
}

const streamOf = (i: number) => 1 + 2 * i;
const open = headers(1, callHeaders("Bidi"));

const FLOODS: readonly Flood[] = [
  {
    name: "rapid reset (CVE-2023-44487)",
    round: (i) => concat(headers(streamOf(i), callHeaders()), rstStream(streamOf(i))),
    reason: "RST_STREAM",
  },
  {
    name: "made you reset (CVE-2025-8671)",
    round: (i) => concat(headers(streamOf(i), callHeaders()), windowUpdate(streamOf(i), 0)),
    reason: "stream errors",
  },
  {
    name: "DATA on streams that the client has reset",
    round: (i) =>
      concat(headers(streamOf(i), callHeaders()), rstStream(streamOf(i)), data(streamOf(i), [0], 1)),
    reason: "too many",
  },
  {
    name: "empty DATA on a stream that the client has reset",
    round: (i) => i === 0 ? concat(headers(1, callHeaders()), rstStream(1)) : data(1, []),
    reason: "empty DATA",
  },
  {
    name: "resets of one stream",
    round: (i) => i === 0 ? headers(1, callHeaders()) : rstStream(1),
    reason: "RST_STREAM",
  },
  { name: "malformed requests", round: (i) => headers(streamOf(i), [["te", "x"]]), reason: "stream errors" },
  { name: "PING (CVE-2019-9512)", round: () => ping(), reason: "too_many_pings" },
  { name: "SETTINGS (CVE-2019-9515)", round: () => settings([4, 1]), reason: "SETTINGS" },
  { name: "SETTINGS acknowledgments", round: () => frame(4, 1, 0), reason: "SETTINGS" },
  {
    name: "PRIORITY (CVE-2019-9513)",
    round: (i) => frame(2, 0, streamOf(i), [0, 0, 0, 0, 0]),
    reason: "PRIORITY",
  },
  { name: "frames of unknown type", round: () => frame(99, 0, 0), reason: "unknown type" },
  {
    name: "empty DATA (CVE-2019-9518)",
    round: (i) => i === 0 ? open : data(1, []),
    reason: "empty DATA",
  },
  {
    name: "padded empty DATA",
    round: (i) => i === 0 ? open : frame(0, 8, 1, [2, 0, 0]),
    reason: "empty DATA",
  },
  {
    name: "one octet of DATA at a time (CVE-2019-9511)",
    round: (i) => i === 0 ? concat(open, data(1, ascii("\0\0\x0f\0\0"))) : data(1, [0]),
    reason: "tiny DATA",
  },
  { name: "WINDOW_UPDATE", round: () => windowUpdate(0, 1), reason: "WINDOW_UPDATE" },
];

for (const { name, round, reason } of FLOODS) {
  Deno.test(`A flood of ${name} ends the connection with ENHANCE_YOUR_CALM`, () => {
    const peer = TestPeer.ready({ implementation: HANGING });
    const before = Deno.memoryUsage();
    let rounds = 0;
    for (; !peer.connection.isFinished && rounds < 100_000; rounds++) peer.send(round(rounds));
    const after = Deno.memoryUsage();
    assertEquals(peer.goaway?.code, ENHANCE_YOUR_CALM);
    assertStringIncludes(peer.goaway!.debugData, reason);
    assertEquals(peer.clientFaults, [peer.goaway!.debugData]);
    assert(rounds <= 10_000, `${rounds} rounds`);
    assert(after.heapUsed + after.external - before.heapUsed - before.external < MAX_GROWTH_BYTES);
  });
}

/** Calls a second that run out of time, for half a minute: all the streams that a connection may have. */
const EXPIRING_PER_SECOND = 500;
const EXPIRING_MS = 100;

for (
  const { when, serverTimeoutMs, handlerEndsAfterMs } of [
    { when: "before the server has answered them", serverTimeoutMs: 1e9, handlerEndsAfterMs: 0 },
    {
      when: "while the server's own answer is in flight",
      serverTimeoutMs: EXPIRING_MS,
      handlerEndsAfterMs: 0,
    },
    // More than the connection may have at once, so some calls are refused.
    { when: "long before their handlers end", serverTimeoutMs: 1e9, handlerEndsAfterMs: 600 },
  ]
) {
  Deno.test(`Calls that are reset at their deadline, ${when}, keep their connection`, () => {
    let started = 0;
    const peer = TestPeer.ready({
      callTimeoutMs: serverTimeoutMs,
      implementation: {
        unary: (call, callback) => {
          started++;
          const end = () => callback(null, call.request);
          call.whenCancelled(() => void peer.clock.setTimer(end, handlerEndsAfterMs));
        },
      },
    });
    const underWay = EXPIRING_MS * EXPIRING_PER_SECOND / 1000;
    const refused = new Set<number>();
    for (let i = 0; i < 30 * EXPIRING_PER_SECOND; i++) {
      peer.call(streamOf(i));
      if (peer.response(streamOf(i)).resetCode === REFUSED_STREAM) refused.add(i);
      peer.clock.advance(1000 / EXPIRING_PER_SECOND);
      peer.read();
      if (i >= underWay && !refused.has(i - underWay)) peer.send(rstStream(streamOf(i - underWay)));
      peer.received.splice(0, peer.received.length - 10);
    }
    assertEquals(peer.goaway, undefined);
    assertEquals(started + refused.size, 30 * EXPIRING_PER_SECOND);
    assertEquals(refused.size > 0, handlerEndsAfterMs > 0);
  });
}

Deno.test("Calls that are reset before they are 10 ms old count, even a few at a time", () => {
  const peer = TestPeer.ready({ implementation: { unary() {} } });
  let resets = 0;
  for (let i = 0; !peer.connection.isFinished && resets < 10_000; i++) {
    // One long call must not keep the others from being checked.
    peer.send(headers(streamOf(i), callHeaders()));
    peer.clock.advance(9);
    peer.send(rstStream(streamOf(i)));
    resets++;
  }
  assertEquals(peer.goaway?.code, ENHANCE_YOUR_CALM);
  assert(resets < 2000, `${resets} resets`);
});

Deno.test("A flood slower than the budget's refill is tolerated", () => {
  const peer = TestPeer.ready();
  for (let i = 0; i < 3000; i++) {
    peer.send(ping());
    peer.clock.advance(40);
  }
  assertEquals(peer.goaway, undefined);
});

Deno.test("Answered calls pay for the PINGs and window updates of honest clients", () => {
  const peer = TestPeer.ready();
  for (let i = 0; i < 10_000; i++) {
    const id = streamOf(i);
    peer.send(
      headers(id, callHeaders()),
      data(id, message("x"), 1),
      ping(),
      windowUpdate(0, 6),
      windowUpdate(0, 1),
    );
    peer.received.length = 0;
  }
  assert(!peer.connection.isFinished);
});

Deno.test("Small messages of an honest stream pay for their small DATA frames", () => {
  const peer = TestPeer.ready();
  peer.send(open);
  for (let i = 0; i < 20_000; i++) peer.send(data(1, message("ping")));
  assertEquals(peer.goaway, undefined);
});

Deno.test("More calls than MAX_CONCURRENT_STREAMS are refused, and the others continue", () => {
  const peer = TestPeer.ready({ implementation: HANGING });
  for (let i = 0; i < 257; i++) peer.send(headers(streamOf(i), callHeaders("Bidi")));
  assertEquals(peer.response(streamOf(256)).resetCode, REFUSED_STREAM);
  assertEquals(peer.response(streamOf(255)).resetCode, undefined);
  assertEquals(peer.connection.openStreams, 256);
});

Deno.test("Calls that were reset count while their handler runs", () => {
  const callbacks: ((error: null, value: Uint8Array) => void)[] = [];
  const peer = TestPeer.ready({
    implementation: { unary: (_call, callback) => callbacks.push(callback) },
    memory: new MessageMemory({ waitAboveBytes: Infinity, maxBytes: Infinity }),
  });
  for (let i = 0; i < 256; i++) {
    peer.call(streamOf(i));
    peer.send(rstStream(streamOf(i)));
  }
  assertEquals(peer.connection.openStreams, 0);
  peer.call(streamOf(256));
  assertEquals(peer.response(streamOf(256)).resetCode, REFUSED_STREAM);
  callbacks[0]!(null, new Uint8Array(0));
  peer.call(streamOf(257));
  assertEquals(peer.response(streamOf(257)).resetCode, undefined);
});

Deno.test("A header block of more than 64 KiB ends the connection before the block ends (CVE-2024-27316)", () => {
  const peer = TestPeer.ready();
  peer.send(frame(1, 0, 1, new Uint8Array(16_384)));
  for (let i = 0; i < 3; i++) peer.send(frame(9, 0, 1, new Uint8Array(16_384)));
  assertEquals(peer.goaway, undefined);
  peer.send(frame(9, 0, 1, [0]));
  assertEquals(peer.goaway?.code, ENHANCE_YOUR_CALM);
});

Deno.test("More than 8 CONTINUATION frames end the connection, even empty ones", () => {
  const peer = TestPeer.ready();
  peer.send(frame(1, 0, 1, headerBlock(callHeaders())));
  for (let i = 0; i < 8; i++) peer.send(frame(9, 0, 1));
  assertEquals(peer.goaway, undefined);
  peer.send(frame(9, 0, 1));
  assertEquals(peer.goaway?.code, ENHANCE_YOUR_CALM);
});

Deno.test("CONTINUATION frames are counted for each header block", () => {
  const peer = TestPeer.ready();
  for (let i = 0; i < 10; i++) {
    peer.send(
      frame(1, 0, streamOf(i), headerBlock(callHeaders())),
      ...Array(7).fill(frame(9, 0, streamOf(i))),
    );
    peer.send(frame(9, 4, streamOf(i)), data(streamOf(i), message("x"), 1));
    assertEquals(peer.response(streamOf(i)).trailers["grpc-status"], "0");
  }
});

Deno.test("More than 32 settings in a frame end the connection", () => {
  const entries = Array.from({ length: 33 }, (_, i) => [0xf000, i] as const);
  const peer = TestPeer.ready();
  peer.send(settings(...entries.slice(1)));
  assertEquals(peer.goaway, undefined);
  peer.send(settings(...entries));
  assertEquals(peer.goaway?.code, ENHANCE_YOUR_CALM);
});

Deno.test("An HPACK bomb fails its call and takes no memory", () => {
  const peer = TestPeer.ready();
  const large = concat(
    [0x40, 1],
    ascii("a"),
    [127, 0x80 | 1, 31],
    new Uint8Array(4096).fill(97).subarray(0, 4096 - 0),
  );
  peer.send(frame(1, 4, 1, concat(headerBlock(callHeaders()), large.subarray(0, 6 + 4096 - 33 - 32))));
  const before = Deno.memoryUsage().heapUsed;
  const bomb = concat(headerBlock(callHeaders()), new Uint8Array(15_000).fill(0xbe));
  for (let i = 1; i < 50; i++) peer.send(frame(1, 5, streamOf(i), bomb));
  assert(Deno.memoryUsage().heapUsed - before < MAX_GROWTH_BYTES);
  assert(peer.goaway !== undefined || peer.response(3).trailers["grpc-status"] === RESOURCE_EXHAUSTED);
});

Deno.test("Unread responses hold further calls back until the client reads", () => {
  let started = 0;
  const peer = TestPeer.ready({
    implementation: { unary: (_call, callback) => (started++, callback(null, new Uint8Array(300_000))) },
  });
  for (let i = 0; i < 100; i++) peer.call(streamOf(i));
  assert(started < 8, `${started} calls started`);
  for (let round = 0; round < 200; round++) {
    peer.send(
      windowUpdate(0, 300_000),
      ...Array.from({ length: started }, (_, i) => windowUpdate(streamOf(i), 300_000)),
    );
    peer.received.splice(0, peer.received.length - 50);
  }
  assertEquals(started, 100);
});

Deno.test("A reset frees the data queued for its stream, and held calls start", () => {
  let started = 0;
  const peer = TestPeer.ready({
    implementation: { unary: (_call, callback) => (started++, callback(null, new Uint8Array(600_000))) },
  });
  for (let i = 0; i < 6; i++) peer.call(streamOf(i));
  assertEquals(started, 2);
  peer.send(rstStream(1));
  assertEquals(started, 3);
});

Deno.test("A client that never reads its responses is ended after 30 s", () => {
  const peer = TestPeer.ready({
    implementation: { unary: (_call, callback) => callback(null, new Uint8Array(100_000)) },
  });
  peer.call(1);
  peer.advance(29_000);
  assertEquals(peer.goaway, undefined);
  peer.advance(2_000);
  assertEquals(peer.goaway?.code, ENHANCE_YOUR_CALM);
});

Deno.test("Incomplete messages of a connection are bounded together", () => {
  const peer = TestPeer.ready({ limits: { maxBufferedRequestBytes: 100_000 } });
  const half = message(new Uint8Array(60_000)).subarray(0, 16_000);
  for (let i = 0; i < 8; i++) peer.send(headers(streamOf(i), callHeaders()), data(streamOf(i), half));
  const statuses = Array.from({ length: 8 }, (_, i) => peer.response(streamOf(i)).trailers["grpc-status"]);
  assertEquals(statuses, [...Array(6).fill(undefined), RESOURCE_EXHAUSTED, RESOURCE_EXHAUSTED]);
});

Deno.test("The buffer of an incomplete message is freed when it is complete or its call has ended", () => {
  const peer = TestPeer.ready({ limits: { maxBufferedRequestBytes: 100_000 } });
  const whole = message(new Uint8Array(60_000));
  const parts = [0, 1, 2, 3].map((i) => whole.subarray(i * 16_000, (i + 1) * 16_000));
  for (let i = 0; i < 40; i += 2) {
    peer.send(headers(streamOf(i), callHeaders()), data(streamOf(i), parts[0]!), rstStream(streamOf(i)));
    const id = streamOf(i + 1);
    peer.send(headers(id, callHeaders()), ...parts.map((part, k) => data(id, part, k === 3 ? 1 : 0)));
    peer.send(windowUpdate(0, 60_005));
    assertEquals(peer.response(id).trailers["grpc-status"], "0");
  }
});

Deno.test("Octets after the message whose handler ended the call are not buffered", async () => {
  const peer = TestPeer.ready({
    limits: { maxBufferedRequestBytes: 100_000 },
    implementation: {
      bidi: (call) =>
        void call.on("data", () => {
          throw new Error("no more");
        }),
    },
  });
  for (let i = 0; i < 10; i++) peer.send(headers(streamOf(i), callHeaders("Bidi")));
  // The handlers' streams flow from the next turn on.
  await Promise.resolve();
  const frame = concat(message("one"), message(new Uint8Array(60_000))).subarray(0, 16_000);
  for (let i = 0; i < 10; i++) peer.send(data(streamOf(i), frame));
  assertEquals(peer.errors.length, 10);
  assert(peer.calls.bufferBudget.acquire(100_000));
});

Deno.test("A message prefix alone reserves no memory", () => {
  const peer = TestPeer.ready();
  const before = Deno.memoryUsage().external;
  for (let i = 0; i < 256; i++) {
    peer.send(headers(streamOf(i), callHeaders()), data(streamOf(i), ascii("\0\0\x3f\xff\xffx")));
  }
  assert(Deno.memoryUsage().external - before < 4 * 1024 * 1024);
});

Deno.test("A connection without preface and SETTINGS ends after 5 s", () => {
  for (const sent of [new Uint8Array(0), PREFACE, PREFACE.subarray(0, 20)]) {
    const peer = new TestPeer();
    if (sent.length > 0) peer.send(sent);
    peer.advance(4_000);
    assertEquals(peer.goaway, undefined);
    peer.advance(1_000);
    assertEquals(peer.goaway?.code, SETTINGS_TIMEOUT);
  }
});

Deno.test("Half a frame, or half a header block, ends the connection after 10 s", () => {
  for (
    const half of [ping().subarray(0, 3), data(1, new Uint8Array(9)).subarray(0, 12), frame(1, 0, 1, [0])]
  ) {
    const peer = TestPeer.ready();
    peer.send(half);
    peer.advance(9_000);
    assertEquals(peer.goaway, undefined);
    peer.advance(3_000);
    assertEquals(peer.goaway?.code, ENHANCE_YOUR_CALM);
  }
});

Deno.test("An idle connection is drained after the idle time-out, one with a call is not", () => {
  const peer = TestPeer.ready({ limits: { idleTimeoutMs: 10_000 } });
  peer.advance(12_000);
  assertEquals(peer.goaway?.code, 0);
  const busy = TestPeer.ready({ limits: { idleTimeoutMs: 10_000 }, implementation: HANGING });
  busy.send(open);
  busy.advance(60_000);
  assertEquals(busy.goaway, undefined);
});

Deno.test("Calls that begin and end between two checks keep a connection from being idle", () => {
  const peer = TestPeer.ready({ limits: { idleTimeoutMs: 10_000 } });
  for (let i = 0; i < 30; i++) {
    peer.call(streamOf(i));
    peer.advance(1000);
  }
  assertEquals(peer.goaway, undefined);
});

Deno.test("A silent client gets a PING, and is ended when it does not answer", () => {
  const age = { keepaliveTimeMs: 10_000, keepaliveTimeoutMs: 5_000 };
  const peer = TestPeer.ready({ age });
  peer.advance(11_000);
  const asked = peer.received.filter(({ type, flags }) => type === 6 && flags === 0);
  assertEquals(asked.length, 1);
  peer.send(frame(6, 1, 0, asked[0]!.payload));
  peer.advance(9_000);
  assert(!peer.connection.isFinished);
  peer.advance(10_000);
  assert(peer.connection.isFinished);
});

Deno.test("A connection of the maximum age is drained, and ended after the grace", () => {
  const peer = TestPeer.ready({ age: { maxAgeMs: 60_000, maxAgeGraceMs: 10_000 }, implementation: HANGING });
  peer.send(open);
  peer.advance(61_000);
  assertEquals(peer.goaway?.code, 0);
  assert(!peer.connection.isFinished);
  peer.advance(11_000);
  assert(peer.connection.isFinished);
  assertEquals(peer.clientFaults, [], "the client is not at fault");
});

Deno.test("spreadAge() changes the maximum age by a tenth at most, and nothing else", () => {
  const age = { ...DEFAULT_CONNECTION_AGE, maxAgeMs: 60_000 };
  const maxAges = [0, 0.25, 0.5, 0.75].map((chance) => spreadAge(age, chance).maxAgeMs);
  assertEquals(maxAges, [54_000, 57_000, 60_000, 63_000]);
  assertEquals(spreadAge(age, 0.5), age);
  assertEquals(spreadAge(DEFAULT_CONNECTION_AGE, 0).maxAgeMs, Infinity);
});

Deno.test("Every default limit is positive", () => {
  for (const [name, limit] of Object.entries(DEFAULT_HTTP2_LIMITS)) {
    assert(typeof limit === "number" ? limit > 0 : limit.burst > 0 && limit.perSecond > 0, name);
  }
});
