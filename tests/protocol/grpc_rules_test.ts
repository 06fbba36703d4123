/** gRPC's PROTOCOL-HTTP2.md: the responses to requests, well-formed or not. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { gzipSync } from "node:zlib";
import { Metadata } from "../../src/transport/metadata.ts";
import type { Implementation, UnaryCall } from "../../src/transport/service.ts";
import { ascii, concat, data, frame, headers, message, rstStream } from "./frames.ts";
import { callHeaders, TestPeer, type TestPeerOptions } from "./test_peer.ts";

const OK = "0";
const CANCELLED = 1;
const UNKNOWN = "2";
const DEADLINE_EXCEEDED = "4";
const NOT_FOUND = 5;
const RESOURCE_EXHAUSTED = "8";
const UNIMPLEMENTED = "12";
const INTERNAL = "13";

/** Replaces one field of a call's headers. */
function withField(name: string, value: string): readonly (readonly [string, string])[] {
  return callHeaders().map(([key, old]) => [key, key === name ? value : old]);
}

/** The trailers of a unary call with these header fields and this body. */
function trailersOf(
  fields: readonly (readonly [string, string])[],
  body: Uint8Array = message("x"),
  options: TestPeerOptions = {},
): Readonly<Record<string, string>> {
  const peer = TestPeer.ready(options);
  peer.send(headers(1, fields), data(1, body, 1));
  assertEquals(peer.goaway, undefined);
  // Whatever happened to the call, the next one works.
  peer.send(headers(3, callHeaders()), data(3, message("next"), 1));
  assertEquals(peer.response(3).trailers["grpc-status"], OK);
  return peer.response(1).trailers;
}

Deno.test("A unary call is answered with headers, one message and trailers", () => {
  const peer = TestPeer.ready();
  peer.call(1, "hello");
  const { headers: head, body, trailers, isEnded } = peer.response(1);
  assertEquals(head[":status"], "200");
  assertEquals(head["content-type"], "application/grpc");
  assertEquals(body, message("hello"));
  assertEquals(trailers, { "grpc-status": OK });
  assert(isEnded);
});

Deno.test("The header blocks of a steady response are 3 octets and 1 octet", () => {
  const peer = TestPeer.ready();
  peer.call(1);
  peer.received.length = 0;
  peer.call(3);
  assertEquals(peer.received.map(({ type, payload }) => [type, payload.length]), [[1, 3], [0, 7], [1, 1]]);
});

for (
  const contentType of [
    "application/grpc",
    "application/grpc+proto",
    "application/grpc;v=1",
    "application/grpc+proto ; a=b",
  ]
) {
  Deno.test(`Content-type ${contentType} is served`, () => {
    assertEquals(trailersOf(withField("content-type", contentType))["grpc-status"], OK);
  });
}

for (
  const contentType of [
    "application/json",
    "application/grpc-web",
    "application/grpc+json",
    "text/application/grpc",
  ]
) {
  Deno.test(`Content-type ${contentType} is answered with HTTP 415`, () => {
    const peer = TestPeer.ready();
    peer.send(headers(1, withField("content-type", contentType)), data(1, message("x"), 1));
    assertEquals(peer.response(1).headers[":status"], "415");
    assert(peer.response(1).isEnded);
  });
}

Deno.test("Two HEADERS without content-type in one segment affect no other call", () => {
  const peer = TestPeer.ready();
  const bare = callHeaders().filter(([name]) => name !== "content-type");
  peer.send(headers(1, bare), headers(1, bare));
  assertEquals(peer.response(1).headers[":status"], "415");
  peer.call(3);
  assertEquals(peer.response(3).trailers["grpc-status"], OK);
});

Deno.test("A method other than POST is answered with HTTP 405", () => {
  const peer = TestPeer.ready();
  peer.send(headers(1, withField(":method", "PUT"), 5), headers(3, withField(":method", "GET"), 5));
  assertEquals(peer.response(1).headers[":status"], "405");
  assertEquals(peer.response(1).headers["allow"], "POST");
  assertEquals(peer.response(3).headers[":status"], "405");
  peer.send(headers(5, withField(":method", "HEAD"), 5));
  assertEquals(peer.response(5).headers[":status"], "405");
  assertEquals(peer.response(5).body.length, 0);
  assert(peer.response(5).isEnded);
});

Deno.test("GET /healthz is answered with 200 and a body of at least 5 octets, HEAD with the same headers only", () => {
  const peer = TestPeer.ready();
  const probe = (method: string) =>
    [[":method", method], [":scheme", "http"], [":path", "/healthz"], [":authority", "x"]] as const;
  peer.send(headers(1, probe("GET"), 5), headers(3, probe("HEAD"), 5));
  const [got, head] = [peer.response(1), peer.response(3)];
  assertEquals(got.headers[":status"], "200");
  assert(got.body.length >= 5);
  assertEquals(head.headers, got.headers);
  assertEquals(head.body.length, 0);
  assert(got.isEnded && head.isEnded);
});

for (
  const [path, text] of [["/test.Echo/Nope", "unknown method Nope"], ["/x.Y/Z", "unknown service x.Y"], [
    "/",
    "unknown service",
  ], ["*", "unknown service"]] as const
) {
  Deno.test(`Path ${path} is answered with UNIMPLEMENTED in trailers only`, () => {
    const trailers = trailersOf(withField(":path", path));
    assertEquals(trailers[":status"], "200");
    assertEquals(trailers["grpc-status"], UNIMPLEMENTED);
    assertStringIncludes(trailers["grpc-message"]!, text);
  });
}

for (const timeout of ["1H", "5M", "5S", "99999999m", "99999999u", "99999999n"]) {
  Deno.test(`grpc-timeout ${timeout} is accepted`, () => {
    assertEquals(trailersOf(callHeaders("Unary", [["grpc-timeout", timeout]]))["grpc-status"], OK);
  });
}

for (const timeout of ["", "1", "S", "123456789S", "-1S", "1.5S", "1s", "1 S", "1SS"]) {
  Deno.test(`grpc-timeout ${JSON.stringify(timeout)} is answered with INTERNAL`, () => {
    assertEquals(trailersOf(callHeaders("Unary", [["grpc-timeout", timeout]]))["grpc-status"], INTERNAL);
  });
}

Deno.test("A timeout of zero is answered with DEADLINE_EXCEEDED, and the handler does not run", () => {
  let calls = 0;
  const unary = (call: UnaryCall<Uint8Array>, callback: (error: null, value: Uint8Array) => void) => {
    calls++;
    callback(null, call.request);
  };
  const peer = TestPeer.ready({ implementation: { unary } });
  peer.call(1, "x", [["grpc-timeout", "0m"]]);
  assertEquals(peer.response(1).trailers["grpc-status"], DEADLINE_EXCEEDED);
  assertEquals(calls, 0);
});

Deno.test("A deadline that passes ends the call with DEADLINE_EXCEEDED and aborts its signal", () => {
  const calls: UnaryCall<Uint8Array>[] = [];
  const callbacks: ((error: null, value: Uint8Array) => void)[] = [];
  const peer = TestPeer.ready({
    implementation: { unary: (call, callback) => (calls.push(call), callbacks.push(callback)) },
  });
  const startedAtMs = peer.clock.now();
  peer.call(1, "x", [["grpc-timeout", "50m"]]);
  const { signal } = calls[0]!;
  assertEquals(calls[0]!.getDeadline(), startedAtMs + 50);
  peer.clock.advance(49);
  peer.read();
  assert(!peer.response(1).isEnded && !signal.aborted);
  peer.clock.advance(1);
  peer.read();
  assertEquals(peer.response(1).trailers["grpc-status"], DEADLINE_EXCEEDED);
  assert(signal.aborted && calls[0]!.cancelled);
  callbacks[0]!(null, ascii("late"));
  peer.read();
  assertEquals(peer.response(1).body.length, 0);
});

const ANSWERS_LATER: Implementation = {
  unary: (call, callback) => void Promise.resolve().then(() => callback(null, call.request)),
};

Deno.test("The server's own time limit ends a call without a deadline", () => {
  const peer = TestPeer.ready({ callTimeoutMs: 20, implementation: { unary() {} } });
  peer.call(1);
  peer.clock.advance(20);
  peer.read();
  assertEquals(peer.response(1).trailers["grpc-status"], DEADLINE_EXCEEDED);
});

Deno.test("A call that is answered in its turn sets no timer, whatever its deadline", () => {
  const peer = TestPeer.ready({ callTimeoutMs: 1000 });
  peer.call(1, "x", [["grpc-timeout", "1S"]]);
  assertEquals(peer.clock.pendingTimers, 0);
});

Deno.test("Calls that are answered before their deadlines share one timer, which ends none of them", async () => {
  const peer = TestPeer.ready({ callTimeoutMs: 1000, implementation: ANSWERS_LATER });
  for (const id of [1, 3, 5]) peer.call(id, "x", [["grpc-timeout", `${600 - id}m`]]);
  assertEquals(peer.clock.pendingTimers, 1);
  await Promise.resolve();
  peer.advance(1000);
  for (const id of [1, 3, 5]) assertEquals(peer.response(id).trailers["grpc-status"], OK);
  assertEquals(peer.clock.pendingTimers, 0);
});

Deno.test("The server's own time limit ends no call that was answered in time", async () => {
  const peer = TestPeer.ready({ callTimeoutMs: 1000, implementation: ANSWERS_LATER });
  peer.call(1);
  await Promise.resolve();
  peer.clock.advance(1000);
  peer.read();
  assertEquals(peer.response(1).trailers["grpc-status"], OK);
  assertEquals(peer.clock.pendingTimers, 0);
});

Deno.test("A request body that never arrives is bounded by the deadline", () => {
  const peer = TestPeer.ready();
  peer.send(headers(1, callHeaders("Unary", [["grpc-timeout", "1S"]])));
  peer.clock.advance(1000);
  peer.read();
  assertEquals(peer.response(1).trailers["grpc-status"], DEADLINE_EXCEEDED);
});

/** Bodies of unary calls that are answered with an error, and its status. */
const BAD_BODIES: readonly (readonly [what: string, body: Uint8Array, status: string])[] = [
  ["no message", new Uint8Array(0), UNIMPLEMENTED],
  ["an end inside the prefix", ascii("\0\0\0"), INTERNAL],
  ["an end inside the message", message("hello").subarray(0, 8), INTERNAL],
  ["two messages", concat(message("a"), message("b")), UNIMPLEMENTED],
  ["compressed-flag 2", message("a", 2), INTERNAL],
  ["compressed-flag 255", message("a", 255), INTERNAL],
  ["compressed-flag 1 without grpc-encoding", message("a", 1), INTERNAL],
  ["a prefix of 0xFFFFFFFF", ascii("\0\xff\xff\xff\xff"), RESOURCE_EXHAUSTED],
  ["a message above the limit", message("x".repeat(101)), RESOURCE_EXHAUSTED],
];

for (const [what, body, status] of BAD_BODIES) {
  Deno.test(`A unary request with ${what} is answered with ${status}`, () => {
    assertEquals(trailersOf(callHeaders(), body, { maxRequestBytes: 100 })["grpc-status"], status);
  });
}

Deno.test("A prefix of 0xFFFFFFFF is answered before any octet of the message arrives", () => {
  const peer = TestPeer.ready();
  peer.send(headers(1, callHeaders()), data(1, ascii("\0\xff\xff\xff\xff")));
  assertEquals(peer.response(1).trailers["grpc-status"], RESOURCE_EXHAUSTED);
});

Deno.test("A client that continues after the response gets a reset without an error", () => {
  const peer = TestPeer.ready({ limits: { streamWindowBytes: 1000 } });
  peer.send(headers(1, withField(":path", "/x.Y/Z")), data(1, new Uint8Array(600)));
  assertEquals(peer.response(1).resetCode, undefined);
  peer.send(data(1, new Uint8Array(400)), data(1, new Uint8Array(1)));
  assertEquals(peer.response(1).resetCode, 0);
  assertEquals(peer.goaway, undefined);
});

Deno.test("gzip: a compressed message is unpacked, an uncompressed one is not", () => {
  const fields = callHeaders("Unary", [["grpc-encoding", "gzip"]]);
  const peer = TestPeer.ready();
  peer.send(headers(1, fields), data(1, message(gzipSync(ascii("packed")), 1), 1));
  peer.send(headers(3, fields), data(3, message("plain"), 1));
  assertEquals(peer.response(1).body, message("packed"));
  assertEquals(peer.response(3).body, message("plain"));
});

Deno.test("gzip: a message that unpacks above the limit ends with RESOURCE_EXHAUSTED, broken gzip with INTERNAL", () => {
  const fields = callHeaders("Unary", [["grpc-encoding", "gzip"]]);
  const bomb = message(gzipSync(new Uint8Array(1_000_000)), 1);
  assertEquals(trailersOf(fields, bomb, { maxRequestBytes: 10_000 })["grpc-status"], RESOURCE_EXHAUSTED);
  assertEquals(trailersOf(fields, message("no gzip", 1))["grpc-status"], INTERNAL);
});

Deno.test("An unsupported encoding ends with UNIMPLEMENTED, and the response lists the supported ones", () => {
  const trailers = trailersOf(callHeaders("Unary", [["grpc-encoding", "snappy"]]));
  assertEquals(trailers["grpc-status"], UNIMPLEMENTED);
  assertEquals(trailers["grpc-accept-encoding"], "identity,gzip");
});

Deno.test("Binary metadata is decoded, padded or not, joined or not; invalid base64 ends only its call", () => {
  const seen: unknown[] = [];
  const unary = (call: UnaryCall<Uint8Array>, callback: (error: null, value: Uint8Array) => void) => {
    seen.push(call.metadata.get("a-bin"), call.metadata.get("b"), call.metadata.get("te"));
    callback(null, call.request);
  };
  const peer = TestPeer.ready({ implementation: { unary } });
  peer.call(1, "x", [["a-bin", "AQI="], ["a-bin", "AQI,/w"], ["b", "1"], ["b", "2"]]);
  assertEquals(seen, [
    [Uint8Array.of(1, 2), Uint8Array.of(1, 2), Uint8Array.of(255)],
    ["1", "2"],
    [],
  ]);
  peer.call(3, "x", [["a-bin", "!"]]);
  assertEquals(peer.response(3).trailers["grpc-status"], INTERNAL);
  assertEquals(seen.length, 3);
  peer.call(5);
  assertEquals(peer.response(5).trailers["grpc-status"], OK);
});

Deno.test("A status is sent with a percent-encoded text and its metadata as trailers", () => {
  const metadata = new Metadata();
  metadata.add("a", "1");
  metadata.add("a", "2");
  metadata.set("grpc-status-details-bin", Uint8Array.of(251, 255));
  const peer = TestPeer.ready({
    implementation: {
      unary: (_call, callback) => callback({ code: NOT_FOUND, details: "100 % nö\n", metadata }),
    },
  });
  peer.call(1);
  assertEquals(peer.response(1).trailers["grpc-status"], String(NOT_FOUND));
  assertEquals(peer.response(1).trailers["grpc-message"], "100 %25 n%C3%B6%0A");
  assertEquals(peer.response(1).trailers["grpc-status-details-bin"], "+/8");
  assertEquals(peer.response(1).trailers["a"], "2");
});

Deno.test("A handler that throws ends with UNKNOWN, without its text; an unencodable response with INTERNAL", () => {
  const thrown = TestPeer.ready({
    implementation: {
      unary: () => {
        throw new Error("password");
      },
    },
  });
  thrown.call(1);
  assertEquals(thrown.response(1).trailers["grpc-status"], UNKNOWN);
  assert(!thrown.response(1).trailers["grpc-message"]!.includes("password"));
  assertEquals(thrown.errors.map(String), ["Error: password"]);
  const wrong = TestPeer.ready({ implementation: { unary: (_call, callback) => callback(null, undefined) } });
  wrong.call(1);
  assertEquals(wrong.response(1).trailers["grpc-status"], INTERNAL);
});

Deno.test("An error of a streaming handler's listener ends only its call, and is reported", () => {
  const peer = TestPeer.ready({
    implementation: {
      bidi: (call) => {
        call.on("data", () => {
          throw new Error("password");
        });
        call.on("cancelled", () => {
          throw new Error("and again");
        });
        call.resume();
      },
    },
  });
  peer.send(headers(1, callHeaders("Bidi")), headers(3, callHeaders("Bidi")), rstStream(3));
  assertEquals(peer.errors.map(String), ["Error: and again"]);
  return Promise.resolve().then(() => {
    peer.send(data(1, message("x")));
    assertEquals(peer.response(1).trailers["grpc-status"], UNKNOWN);
    assertEquals(peer.errors.map(String), ["Error: and again", "Error: password"]);
    assertEquals(peer.goaway, undefined);
  });
});

Deno.test("A second callback of a handler is ignored", () => {
  const peer = TestPeer.ready({
    implementation: {
      unary: (call, callback) => {
        callback(null, call.request);
        callback({ code: NOT_FOUND, details: "" });
      },
    },
  });
  peer.call(1);
  assertEquals(peer.response(1).trailers["grpc-status"], OK);
  assertEquals(peer.response(1).body, message("hi"));
});

Deno.test("sendMetadata() sends metadata before the message, and only once", () => {
  const metadata = new Metadata();
  metadata.set("x-early", "yes");
  metadata.set("content-type", "text/html");
  metadata.set("connection", "close");
  const peer = TestPeer.ready({
    implementation: {
      unary: (call, callback) => {
        call.sendMetadata(metadata);
        call.sendMetadata(metadata);
        callback(null, call.request);
      },
    },
  });
  peer.call(1);
  assertEquals(peer.received.map(({ type }) => type), [1, 0, 1]);
  assertEquals(peer.response(1).headers["x-early"], "yes");
  assertEquals(peer.response(1).headers["content-type"], "application/grpc");
  assertEquals(peer.response(1).headers["connection"], undefined);
});

Deno.test("A client's reset cancels the call, and its late response is dropped", () => {
  let call!: UnaryCall<Uint8Array>;
  let answer!: (error: unknown, value?: Uint8Array) => void;
  let events = 0;
  const peer = TestPeer.ready({
    implementation: {
      unary: (c, callback) => {
        call = c;
        answer = callback;
        c.on("cancelled", () => events++);
      },
    },
  });
  peer.call(1);
  peer.send(rstStream(1));
  assert(call.cancelled && call.signal.aborted);
  assertEquals(events, 1);
  peer.received.length = 0;
  answer({ code: CANCELLED, details: "" });
  peer.read();
  assertEquals(peer.received, []);
});

Deno.test("A cancelled call that answers twice counts once", () => {
  const callbacks: ((error: null, value: Uint8Array) => void)[] = [];
  const peer = TestPeer.ready({ implementation: { unary: (_call, callback) => callbacks.push(callback) } });
  peer.call(1);
  peer.send(rstStream(1));
  assertEquals(peer.calls.orphanedCalls, 1);
  callbacks[0]!(null, ascii(""));
  callbacks[0]!(null, ascii(""));
  assertEquals(peer.calls.orphanedCalls, 0);
});

Deno.test("A lost connection cancels its calls", () => {
  let call!: UnaryCall<Uint8Array>;
  const peer = TestPeer.ready({ implementation: { unary: (c) => call = c } });
  peer.call(1);
  peer.connection.abandon();
  assert(call.signal.aborted);
});

Deno.test("DATA frames, padded or not, may cut and join prefixes and messages anywhere", () => {
  const requests = [message("first"), message(""), message("x".repeat(300))];
  const body = concat(...requests);
  for (
    const [size, padding] of [[1, 0], [2, 3], [4, 0], [5, 0], [6, 255], [7, 0], [311, 1], [1000, 0]] as const
  ) {
    const seen: Uint8Array[] = [];
    const peer = TestPeer.ready({
      implementation: {
        // A paused stream returns everything at once.
        clientStream: (call) => {
          call.push = (request: Uint8Array | null) => (request !== null && seen.push(message(request)), true);
        },
      },
    });
    const frames: Uint8Array[] = [];
    for (let offset = 0; offset < body.length; offset += size) {
      const part = body.subarray(offset, offset + size);
      frames.push(frame(0, 8, 1, concat([padding], part, new Uint8Array(padding))));
    }
    peer.send(headers(1, callHeaders("ClientStream")), ...frames, data(1, [], 1));
    assertEquals(concat(...seen), body, `cut into ${size}`);
  }
});

Deno.test("A handler sees its request unchanged, even when the read buffer is reused before it runs", () => {
  const seen: string[] = [];
  const peer = TestPeer.ready({
    implementation: {
      unary: (
        call,
        callback,
      ) => (seen.push(new TextDecoder().decode(call.request)), callback(null, new Uint8Array(600_000))),
    },
    requestDeserialize: (bytes) => bytes,
  });
  const buffer = new Uint8Array(4096);
  const receive = (...parts: Uint8Array[]) => {
    const octets = concat(...parts);
    buffer.set(octets);
    peer.connection.receive(buffer.subarray(0, octets.length));
    buffer.fill(0);
  };
  receive(headers(1, callHeaders()), data(1, message("end comes later")));
  receive(data(1, [], 1));
  receive(headers(3, callHeaders()), data(3, message("in one go"), 1));
  // So much output waits for the client now that further calls are held back.
  receive(headers(5, callHeaders()), data(5, message("held back"), 1));
  assertEquals(seen, ["end comes later", "in one go"]);
  receive(rstStream(1));
  assertEquals(seen, ["end comes later", "in one go", "held back"]);
});
