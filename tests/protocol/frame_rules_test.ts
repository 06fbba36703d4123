/** RFC 9113 sections 3 to 6: the responses to frames that break a rule. */
import { assert, assertEquals } from "@std/assert";
import { turn } from "../support/turn.ts";
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
  uint32,
  windowUpdate,
} from "./frames.ts";
import { callHeaders, TestPeer } from "./test_peer.ts";

const NO_ERROR = 0;
const PROTOCOL_ERROR = 1;
const FLOW_CONTROL_ERROR = 3;
const STREAM_CLOSED = 5;
const FRAME_SIZE_ERROR = 6;
const REFUSED_STREAM = 7;
const COMPRESSION_ERROR = 9;

const END_STREAM = 1;
const END_HEADERS = 4;
const PADDED = 8;
const PRIORITY = 0x20;

/** Opens stream 1 and leaves it open. */
const open = (streamId = 1) => headers(streamId, callHeaders());
const block = headerBlock(callHeaders());

/** Input that ends the connection, and the error code of its GOAWAY. */
const CONNECTION_ERRORS:
  readonly (readonly [section: string, what: string, sent: Uint8Array, code: number])[] = [
    [
      "4.1",
      "a frame above SETTINGS_MAX_FRAME_SIZE",
      frame(0, 0, 1, new Uint8Array(16_385)),
      FRAME_SIZE_ERROR,
    ],
    [
      "4.3",
      "a header block that cannot be decoded",
      frame(1, END_HEADERS, 1, [0xff, 0xff]),
      COMPRESSION_ERROR,
    ],
    [
      "4.3",
      "a header block interrupted by another frame",
      concat(frame(1, 0, 1, block), ping()),
      PROTOCOL_ERROR,
    ],
    [
      "4.3",
      "a header block interrupted by another stream's",
      concat(frame(1, 0, 1, block), frame(9, 4, 3, [])),
      PROTOCOL_ERROR,
    ],
    ["5.1", "DATA on an idle stream", data(1, [0]), PROTOCOL_ERROR],
    ["5.1", "RST_STREAM on an idle stream", rstStream(1), PROTOCOL_ERROR],
    ["5.1", "WINDOW_UPDATE on an idle stream", windowUpdate(1, 1), PROTOCOL_ERROR],
    ["5.1", "HEADERS on a closed stream", concat(open(), data(1, message(""), 1), open()), STREAM_CLOSED],
    [
      "5.1",
      "WINDOW_UPDATE on an even stream, which only we could open",
      concat(open(5), windowUpdate(2, 1)),
      PROTOCOL_ERROR,
    ],
    ["5.1.1", "HEADERS on an even stream", headers(2, callHeaders()), PROTOCOL_ERROR],
    ["5.1.1", "HEADERS on a stream below an earlier one", concat(open(5), open(3)), STREAM_CLOSED],
    ["6.1", "DATA on stream 0", data(0, [0]), PROTOCOL_ERROR],
    [
      "6.1",
      "DATA with padding as long as the payload",
      concat(open(), data(1, [4, 1, 1, 1], PADDED)),
      PROTOCOL_ERROR,
    ],
    ["6.1", "padded DATA without octets", concat(open(), data(1, [], PADDED)), FRAME_SIZE_ERROR],
    ["6.2", "HEADERS on stream 0", headers(0, callHeaders()), PROTOCOL_ERROR],
    [
      "6.2",
      "HEADERS with more padding than payload",
      frame(1, END_HEADERS | PADDED, 1, [9, 1]),
      PROTOCOL_ERROR,
    ],
    [
      "6.2",
      "HEADERS too short for its priority",
      frame(1, END_HEADERS | PRIORITY, 1, [0, 0]),
      FRAME_SIZE_ERROR,
    ],
    ["6.3", "PRIORITY on stream 0", frame(2, 0, 0, [0, 0, 0, 0, 0]), PROTOCOL_ERROR],
    ["6.4", "RST_STREAM on stream 0", rstStream(0), PROTOCOL_ERROR],
    ["6.4", "RST_STREAM that is not 4 octets", concat(open(), frame(3, 0, 1, [0])), FRAME_SIZE_ERROR],
    ["6.5", "SETTINGS on a stream", frame(4, 0, 1), PROTOCOL_ERROR],
    ["6.5", "a SETTINGS acknowledgment with a payload", frame(4, 1, 0, new Uint8Array(6)), FRAME_SIZE_ERROR],
    ["6.5", "SETTINGS that is no multiple of 6 octets", frame(4, 0, 0, [0]), FRAME_SIZE_ERROR],
    ["6.5.2", "ENABLE_PUSH 2", settings([2, 2]), PROTOCOL_ERROR],
    ["6.5.2", "INITIAL_WINDOW_SIZE 2^31", settings([4, 2 ** 31]), FLOW_CONTROL_ERROR],
    ["6.5.2", "MAX_FRAME_SIZE 16383", settings([5, 16_383]), PROTOCOL_ERROR],
    ["6.5.2", "MAX_FRAME_SIZE 2^24", settings([5, 2 ** 24]), PROTOCOL_ERROR],
    ["6.6", "PUSH_PROMISE", frame(5, END_HEADERS, 1, [0, 0, 0, 2]), PROTOCOL_ERROR],
    ["6.7", "PING on a stream", frame(6, 0, 1, new Uint8Array(8)), PROTOCOL_ERROR],
    ["6.7", "PING that is not 8 octets", frame(6, 0, 0, new Uint8Array(7)), FRAME_SIZE_ERROR],
    ["6.8", "GOAWAY on a stream", frame(7, 0, 1, new Uint8Array(8)), PROTOCOL_ERROR],
    ["6.8", "GOAWAY below 8 octets", frame(7, 0, 0, new Uint8Array(7)), FRAME_SIZE_ERROR],
    ["6.9", "WINDOW_UPDATE of 0 on the connection", windowUpdate(0, 0), PROTOCOL_ERROR],
    ["6.9", "WINDOW_UPDATE that is not 4 octets", frame(8, 0, 0, [1]), FRAME_SIZE_ERROR],
    ["6.9.1", "a connection window above 2^31-1", windowUpdate(0, 2 ** 31 - 1), FLOW_CONTROL_ERROR],
    [
      "6.9.2",
      "INITIAL_WINDOW_SIZE that overflows an open stream's window",
      concat(open(), windowUpdate(1, 1000), settings([4, 2 ** 31 - 1])),
      FLOW_CONTROL_ERROR,
    ],
    ["6.10", "CONTINUATION without HEADERS", frame(9, END_HEADERS, 1, block), PROTOCOL_ERROR],
  ];

for (const [section, what, sent, code] of CONNECTION_ERRORS) {
  Deno.test(`ServerConnection ends with GOAWAY ${code} on ${what} (RFC 9113 section ${section})`, () => {
    const peer = TestPeer.ready();
    peer.send(sent);
    assertEquals(peer.goaway?.code, code);
    assert(peer.connection.isFinished);
  });
}

/** Input that ends stream 1 only, and the error code of its RST_STREAM. */
const STREAM_ERRORS: readonly (readonly [section: string, what: string, sent: Uint8Array, code: number])[] = [
  ["5.1", "DATA after END_STREAM", concat(open(), data(1, message("x"), 1), data(1, [0])), STREAM_CLOSED],
  [
    "5.1",
    "HEADERS after END_STREAM",
    concat(open(), data(1, message("x"), 1), headers(1, [["a", "b"]], 5)),
    STREAM_CLOSED,
  ],
  [
    "5.1",
    "DATA on a stream that the client has reset",
    concat(open(), rstStream(1), data(1, message("x"), END_STREAM)),
    STREAM_CLOSED,
  ],
  [
    "5.1",
    "HEADERS on a stream that the client has reset",
    concat(open(), rstStream(1), headers(1, [["a", "b"]], END_STREAM | END_HEADERS)),
    STREAM_CLOSED,
  ],
  [
    "5.3.1",
    "HEADERS that depends on its own stream",
    frame(1, END_HEADERS | PRIORITY, 1, concat([0, 0, 0, 1, 0], block)),
    PROTOCOL_ERROR,
  ],
  ["6.3", "PRIORITY that is not 5 octets", concat(open(), frame(2, 0, 1, [0])), FRAME_SIZE_ERROR],
  [
    "6.3",
    "PRIORITY that depends on its own stream",
    concat(open(), frame(2, 0, 1, [0, 0, 0, 1, 0])),
    PROTOCOL_ERROR,
  ],
  ["6.9", "WINDOW_UPDATE of 0", concat(open(), windowUpdate(1, 0)), PROTOCOL_ERROR],
  ["6.9.1", "a window above 2^31-1", concat(open(), windowUpdate(1, 2 ** 31 - 1)), FLOW_CONTROL_ERROR],
  ["8.1", "a second HEADERS without END_STREAM", concat(open(), open()), PROTOCOL_ERROR],
  [
    "8.1",
    "a pseudo-header field in trailers",
    concat(open(), headers(1, [[":path", "/"]], 5)),
    PROTOCOL_ERROR,
  ],
  [
    "8.1.1",
    "a body beyond content-length",
    concat(headers(1, callHeaders("Unary", [["content-length", "3"]])), data(1, message("x"))),
    PROTOCOL_ERROR,
  ],
  [
    "8.1.1",
    "a body short of content-length",
    concat(headers(1, callHeaders("Unary", [["content-length", "9"]])), data(1, message("x"), 1)),
    PROTOCOL_ERROR,
  ],
  [
    "8.1.1",
    "an end without the octets that content-length names",
    headers(1, callHeaders("Unary", [["content-length", "9"]]), 5),
    PROTOCOL_ERROR,
  ],
];

for (const [section, what, sent, code] of STREAM_ERRORS) {
  Deno.test(`ServerConnection resets only the stream with ${code} on ${what} (RFC 9113 section ${section})`, () => {
    const peer = TestPeer.ready({ implementation: { unary() {} } });
    peer.send(sent);
    assertEquals(peer.response(1).resetCode, code);
    assertEquals(peer.goaway, undefined);
  });
}

/** Header sections that are malformed by RFC 9113 section 8. */
const MALFORMED: readonly (readonly [what: string, fields: readonly (readonly [string, string])[]])[] = [
  ["te other than trailers", [...callHeaders(), ["te", "gzip"]]],
  ["connection", callHeaders("Unary", [["connection", "close"]])],
  ["keep-alive", callHeaders("Unary", [["keep-alive", "1"]])],
  ["proxy-connection", callHeaders("Unary", [["proxy-connection", "x"]])],
  ["transfer-encoding", callHeaders("Unary", [["transfer-encoding", "chunked"]])],
  ["upgrade", callHeaders("Unary", [["upgrade", "h2c"]])],
  ["a capital in a name", callHeaders("Unary", [["X-a", "1"]])],
  ["an empty name", callHeaders("Unary", [["", "1"]])],
  ["a colon in a name", callHeaders("Unary", [["a:b", "1"]])],
  ["a space in a name", callHeaders("Unary", [["a b", "1"]])],
  ["a line feed in a value", callHeaders("Unary", [["a", "1\n2"]])],
  ["a NUL in a value", callHeaders("Unary", [["a", "1\x002"]])],
  ["a space before a value", callHeaders("Unary", [["a", " 1"]])],
  ["a tab after a value", callHeaders("Unary", [["a", "1\t"]])],
  ["a pseudo-header field after another field", [...callHeaders(), [":path", "/"]]],
  ["a second :method", [[":method", "POST"], ...callHeaders()]],
  ["an unknown pseudo-header field", [[":color", "red"], ...callHeaders()]],
  [":status in a request", [[":status", "200"], ...callHeaders()]],
  ["no :method", callHeaders().filter(([name]) => name !== ":method")],
  ["no :scheme", callHeaders().filter(([name]) => name !== ":scheme")],
  ["no :path", callHeaders().filter(([name]) => name !== ":path")],
  ["an empty :path", callHeaders().map(([name, value]) => [name, name === ":path" ? "" : value] as const)],
  [
    "CONNECT with :path",
    callHeaders().map(([name, value]) => [name, name === ":method" ? "CONNECT" : value] as const),
  ],
  ["content-lengths that differ", callHeaders("Unary", [["content-length", "1"], ["content-length", "2"]])],
  ["a content-length that is no number", callHeaders("Unary", [["content-length", "-1"]])],
];

for (const [what, fields] of MALFORMED) {
  Deno.test(`ServerConnection resets a request with ${what} with PROTOCOL_ERROR (RFC 9113 section 8)`, () => {
    const peer = TestPeer.ready();
    peer.send(headers(1, fields));
    assertEquals(peer.response(1).resetCode, PROTOCOL_ERROR);
    peer.call(3);
    assertEquals(peer.response(3).trailers["grpc-status"], "0");
  });
}

Deno.test("ServerConnection forgets the priority of one HEADERS at the next", () => {
  const peer = TestPeer.ready();
  peer.send(frame(1, END_HEADERS | PRIORITY, 1, concat([0, 0, 0, 1, 0], block)));
  peer.call(3);
  assertEquals(peer.response(3).trailers["grpc-status"], "0");
});

Deno.test("ServerConnection decodes equal header blocks again once the table has changed", () => {
  const peer = TestPeer.ready();
  const rest = headerBlock(callHeaders().filter(([name]) => name !== ":path"));
  const inserting = (path: string) => concat([0x44, path.length], ascii(path), rest);
  // Index 62, the newest entry: the same octets for both paths.
  const referring = concat([0xbe], rest);
  peer.send(frame(1, 5, 1, inserting("/x.Y/A")), frame(1, 5, 3, referring), frame(1, 5, 5, referring));
  peer.send(frame(1, 5, 7, inserting("/x.Z/B")), frame(1, 5, 9, referring));
  const texts = [3, 5, 9].map((id) => peer.response(id).trailers["grpc-message"]);
  assertEquals(texts, ["unknown service x.Y", "unknown service x.Y", "unknown service x.Z"]);
});

Deno.test("ServerConnection accepts a request without te", () => {
  const peer = TestPeer.ready();
  peer.send(headers(1, callHeaders().filter(([name]) => name !== "te")), data(1, message("x"), 1));
  assertEquals(peer.response(1).trailers["grpc-status"], "0");
});

Deno.test("ServerConnection announces its settings before anything else (RFC 9113 section 3.4)", () => {
  const peer = new TestPeer();
  peer.read();
  assertEquals(peer.received[0]!.type, 4);
  assertEquals(peer.received[0]!.flags, 0);
  assertEquals([...peer.received[0]!.payload], [0, 3, 0, 0, 1, 0, 0, 4, 0, 4, 0, 0, 0, 6, 0, 0, 64, 0]);
  assertEquals(peer.received[1]!.type, 8);
});

Deno.test("ServerConnection acknowledges SETTINGS, and PING with its octets", () => {
  const peer = TestPeer.ready();
  peer.send(settings([3, 5]), ping("abcdefgh"));
  assertEquals(peer.received.map(({ type, flags }) => [type, flags]), [[4, 1], [6, 1]]);
  assertEquals(peer.received[1]!.payload, ascii("abcdefgh"));
});

Deno.test("ServerConnection ignores unknown frame types, settings and flags (RFC 9113 sections 4.1 and 6.5.2)", () => {
  const peer = TestPeer.ready();
  peer.send(frame(0xfa, 0xff, 7, [1, 2, 3]), settings([0xfafa, 12]), frame(6, 0xfe, 0, new Uint8Array(8)));
  assertEquals(peer.received.map(({ type }) => type), [4, 6]);
  assertEquals(peer.goaway, undefined);
});

Deno.test("ServerConnection requires the preface, octet by octet (RFC 9113 section 3.4)", () => {
  const peer = new TestPeer();
  peer.sendSlowly(PREFACE, settings());
  assertEquals(peer.goaway, undefined);
  const other = new TestPeer();
  other.send(ascii("GET / HTTP/1.1\r\n\r\n"));
  assertEquals(other.goaway?.code, PROTOCOL_ERROR);
});

Deno.test("ServerConnection requires SETTINGS first (RFC 9113 section 3.4)", () => {
  for (const first of [ping(), frame(4, 1, 0), open()]) {
    const peer = new TestPeer();
    peer.send(PREFACE, first);
    assertEquals(peer.goaway?.code, PROTOCOL_ERROR);
  }
});

Deno.test("ServerConnection ignores frames that cross its RST_STREAM, but not their fields (RFC 9113 section 5.1)", () => {
  const peer = TestPeer.ready();
  peer.send(
    headers(1, callHeaders("Unary", [["connection", "x"]])),
    data(1, message("a")),
    windowUpdate(1, 9),
    rstStream(1),
  );
  // The late trailers add a field to the table that the next call refers to.
  const indexing = concat([0x40, 1], ascii("a"), [1], ascii("b"));
  peer.send(
    frame(1, 5, 1, indexing),
    frame(1, END_HEADERS, 3, concat(block, [0xbe])),
    data(3, message("x"), 1),
  );
  assertEquals(peer.goaway, undefined);
  assertEquals(peer.response(3).trailers["grpc-status"], "0");
});

Deno.test("ServerConnection answers the first frame of a stream that its client has reset, and ignores the rest", () => {
  const peer = TestPeer.ready();
  peer.send(open(), rstStream(1), data(1, [0]), data(1, [0]), rstStream(1), windowUpdate(1, 9));
  assertEquals(peer.received.map(({ type, streamId }) => [type, streamId]), [[3, 1]]);
  // A client cancels a call whose message still waits in its own queue: the other calls continue.
  peer.call(3);
  assertEquals(peer.response(3).trailers["grpc-status"], "0");
});

Deno.test("ServerConnection reads the fields of HEADERS on a stream that its client has reset", () => {
  const peer = TestPeer.ready();
  const indexing = concat([0x40, 1], ascii("a"), [1], ascii("b"));
  peer.send(
    open(),
    rstStream(1),
    frame(1, 5, 1, indexing),
    frame(1, END_HEADERS, 3, concat(block, [0xbe])),
    data(3, message("x"), 1),
  );
  assertEquals(peer.response(3).trailers["grpc-status"], "0");
});

Deno.test("ServerConnection accepts trailers of a request", () => {
  const peer = TestPeer.ready();
  peer.send(open(), data(1, message("x")), headers(1, [["a", "b"]], 5));
  assertEquals(peer.response(1).trailers["grpc-status"], "0");
});

Deno.test("ServerConnection accepts padding, priority and CONTINUATION in HEADERS (RFC 9113 sections 6.2 and 6.10)", () => {
  const peer = TestPeer.ready();
  const payload = concat([3], [0, 0, 0, 0, 9], block.subarray(0, 20), [0, 0, 0]);
  peer.sendSlowly(
    frame(1, PADDED | PRIORITY, 1, payload),
    frame(9, 0, 1, block.subarray(20, 21)),
    frame(9, END_HEADERS, 1, block.subarray(21)),
    data(1, message("x"), END_STREAM),
  );
  assertEquals(peer.response(1).trailers["grpc-status"], "0");
});

Deno.test("ServerConnection.drain() allows for requests on their way, then names the last one (RFC 9113 section 6.8)", () => {
  const peer = TestPeer.ready();
  peer.send(open(1));
  peer.connection.drain();
  peer.read();
  assertEquals(peer.goaway, { lastStreamId: 2 ** 31 - 1, code: NO_ERROR, debugData: "" });
  const drainPing = peer.received.find(({ type, flags }) => type === 6 && flags === 0)!;
  peer.send(open(3));
  peer.send(frame(6, 1, 0, drainPing.payload));
  assertEquals(peer.goaway?.lastStreamId, 3);
  peer.send(open(5));
  assertEquals(peer.response(5).resetCode, REFUSED_STREAM);
  peer.send(data(1, message("x"), 1));
  assert(!peer.connection.isFinished);
  peer.send(data(3, message("x"), 1));
  assertEquals(peer.response(3).trailers["grpc-status"], "0");
  assert(peer.connection.isFinished);
});

Deno.test("ServerConnection.drain() ends a connection without SETTINGS at once", () => {
  const peer = new TestPeer();
  peer.connection.drain();
  assert(peer.connection.isFinished);
});

Deno.test("ServerConnection.shutDown() ends streaming calls, even those on their way, and serves the others", async () => {
  const peer = TestPeer.ready();
  peer.send(headers(1, callHeaders("Bidi")), headers(3, callHeaders("Unary")));
  peer.connection.shutDown();
  peer.send(headers(5, callHeaders("ClientStream")), data(3, message("x"), 1));
  await turn();
  peer.read();
  for (const streamId of [1, 5]) {
    const { trailers } = peer.response(streamId);
    assertEquals([trailers["grpc-status"], trailers["grpc-message"]], ["14", "The server is shutting down"]);
  }
  assertEquals(peer.response(3).trailers["grpc-status"], "0");
});

Deno.test("ServerConnection ends with INTERNAL_ERROR on a bug of its own, and reports it", () => {
  const peer = TestPeer.ready();
  const mistake = new Error("a mistake");
  peer.calls.accept = () => {
    throw mistake;
  };
  peer.send(open());
  assertEquals(peer.goaway, { lastStreamId: 1, code: 2, debugData: "internal error" });
  assertEquals(peer.errors, [mistake]);
});

Deno.test("ServerConnection.drain() continues after a second without the client's answer", () => {
  const peer = TestPeer.ready();
  peer.connection.drain();
  peer.advance(3_000);
  assertEquals(peer.goaway?.lastStreamId, 0);
  assert(peer.connection.isFinished);
});

Deno.test("ServerConnection finishes the calls of a client that sends GOAWAY", () => {
  const peer = TestPeer.ready();
  peer.send(open(1), frame(7, 0, 0, new Uint8Array(8)), data(1, message("x"), 1));
  assertEquals(peer.response(1).trailers["grpc-status"], "0");
  assert(peer.connection.isFinished);
});

Deno.test("ServerConnection keeps uint32 payloads apart from reserved bits (RFC 9113 sections 4.1 and 6.9)", () => {
  const peer = TestPeer.ready();
  peer.send(frame(8, 0, 0, uint32(0x80000001)));
  const request = headers(1, callHeaders());
  request[5] = 0x80;
  peer.send(request, data(1, message("x"), 1));
  assertEquals(peer.response(1).trailers["grpc-status"], "0");
});
