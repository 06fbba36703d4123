/** The time that a request may take to arrive, and the start of its call's own time limit. */
import { assertEquals } from "@std/assert";
import { turn } from "../support/turn.ts";
import { data, headers, message, rstStream } from "./frames.ts";
import { callHeaders, TestPeer } from "./test_peer.ts";

const OK = "0";
const DEADLINE_EXCEEDED = "4";
const CALL_TIMEOUT_MS = 1_000;

/** A message of 100 octets; {@link sendPart} sends them one by one. */
const MESSAGE = message("x".repeat(95));

function uploading(path = "Unary", options: { timeout?: string; uploadTimeoutMs?: number } = {}) {
  let isStarted = false;
  const peer = TestPeer.ready({
    callTimeoutMs: CALL_TIMEOUT_MS,
    limits: { uploadTimeoutMs: options.uploadTimeoutMs ?? 30_000 },
    implementation: { unary: () => isStarted = true, serverStream: () => isStarted = true },
  });
  const deadline = options.timeout === undefined ? [] : [["grpc-timeout", options.timeout] as const];
  peer.send(headers(1, callHeaders(path, deadline)));
  let sent = 0;
  return {
    peer,
    sendPart: (octets = 1) => peer.send(data(1, MESSAGE.subarray(sent, sent += octets))),
    sendRest: () => peer.send(data(1, MESSAGE.subarray(sent), 1)),
    hasStarted: () => isStarted,
    status: () => peer.response(1).trailers["grpc-status"],
    details: () => decodeURIComponent(peer.response(1).trailers["grpc-message"] ?? ""),
  };
}

Deno.test("The server's time limit begins when the request is complete", () => {
  const { peer, sendPart, sendRest, hasStarted, status } = uploading();
  for (let second = 0; second < 25; second += 5) {
    sendPart();
    peer.advance(5_000);
  }
  sendRest();
  assertEquals(hasStarted(), true);
  peer.advance(CALL_TIMEOUT_MS - 1);
  assertEquals(status(), undefined);
  peer.advance(1);
  assertEquals(status(), DEADLINE_EXCEEDED);
});

for (const path of ["Unary", "ServerStream"]) {
  Deno.test(`${path}: a request must be complete within upload_timeout`, () => {
    const { peer, sendPart, hasStarted, status, details } = uploading(path);
    for (let second = 0; second < 29; second++) {
      sendPart();
      peer.advance(1_000);
    }
    assertEquals(status(), undefined);
    sendPart();
    peer.advance(1_000);
    assertEquals([status(), hasStarted()], [DEADLINE_EXCEEDED, false]);
    assertEquals(details(), "Cannot receive the request within 30000 ms, the server's limit for uploads");
    assertEquals(peer.goaway, undefined, "other calls go on");
  });
}

Deno.test("A request without progress for ten seconds ends its call", () => {
  const { peer, sendPart, status, details } = uploading();
  sendPart();
  peer.advance(10_000);
  assertEquals(status(), undefined);
  peer.advance(10_000);
  assertEquals(status(), DEADLINE_EXCEEDED);
  assertEquals(details(), "Cannot receive the request: no octet of it arrived for 10000 ms");
});

Deno.test("A request without a body ends its call after ten seconds", () => {
  const { peer, status } = uploading();
  peer.advance(9_999);
  assertEquals(status(), undefined);
  peer.advance(1);
  assertEquals(status(), DEADLINE_EXCEEDED);
});

Deno.test("An upload_timeout below ten seconds is kept to the millisecond", () => {
  const { peer, sendPart, status } = uploading("Unary", { uploadTimeoutMs: 2_500 });
  sendPart();
  peer.advance(2_499);
  assertEquals(status(), undefined);
  peer.advance(1);
  assertEquals(status(), DEADLINE_EXCEEDED);
});

Deno.test("A client's deadline counts from the start of its call, the upload included", () => {
  const { peer, sendPart, status, details } = uploading("Unary", { timeout: "12S" });
  sendPart();
  peer.advance(9_000);
  sendPart();
  peer.advance(2_999);
  assertEquals(status(), undefined);
  peer.advance(1);
  assertEquals([status(), details()], [DEADLINE_EXCEEDED, "Deadline exceeded"]);
});

Deno.test("A client's deadline still counts once its request is complete", () => {
  for (const path of ["Unary", "ServerStream"]) {
    const { peer, sendRest, hasStarted, status } = uploading(path, { timeout: "5500m" });
    peer.advance(5_000);
    sendRest();
    peer.advance(499);
    assertEquals([hasStarted(), status()], [true, undefined]);
    peer.advance(1);
    assertEquals(status(), DEADLINE_EXCEEDED);
  }
});

Deno.test("A stream of requests may take any time", async () => {
  const peer = TestPeer.ready({ callTimeoutMs: CALL_TIMEOUT_MS });
  peer.send(headers(1, callHeaders("ClientStream")));
  peer.advance(60_000);
  peer.send(data(1, message("x"), 1));
  await turn();
  peer.read();
  assertEquals(peer.response(1).trailers["grpc-status"], OK);
});

Deno.test("Uploads share a timer, and leave none once they are cancelled or answered", () => {
  const peer = TestPeer.ready({ callTimeoutMs: CALL_TIMEOUT_MS });
  for (const id of [1, 3, 5]) peer.send(headers(id, callHeaders()), data(id, MESSAGE.subarray(0, 50)));
  assertEquals(peer.clock.pendingTimers, 1);
  peer.send(rstStream(1), data(3, MESSAGE.subarray(50), 1), data(5, MESSAGE.subarray(50), 1));
  assertEquals(peer.response(3).trailers["grpc-status"], OK);
  peer.advance(30_000);
  assertEquals(peer.clock.pendingTimers, 0);
  assertEquals(peer.response(5).trailers["grpc-status"], OK);
});
