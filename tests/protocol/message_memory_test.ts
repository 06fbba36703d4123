/** The memory of messages over all connections of a server. */
import { assert, assertEquals } from "@std/assert";
import { MessageMemory } from "../../src/transport/grpc/message_memory.ts";
import type { UnaryCallback } from "../../src/transport/service.ts";
import { data, headers, message, rstStream, windowUpdate } from "./frames.ts";
import { callHeaders, TestPeer, type TestPeerOptions } from "./test_peer.ts";

const OK = "0";
const RESOURCE_EXHAUSTED = "8";

/** Peers of one server. The test decides when their calls are answered. */
function server(limits: { waitAboveBytes: number; maxBytes: number }, peers = 1) {
  const memory = new MessageMemory(limits);
  const started: { answer: UnaryCallback<Uint8Array> }[] = [];
  const options: TestPeerOptions = {
    memory,
    maxRequestBytes: 4 * 2 ** 20,
    implementation: { unary: (_call, answer) => started.push({ answer }) },
  };
  return { memory, started, peers: Array.from({ length: peers }, () => TestPeer.ready(options)) };
}

/** Sends some octets of a message of `length` octets, in frames. */
function sendMessage(peer: TestPeer, id: number, length: number, octets = length + 5): void {
  const bytes = message(new Uint8Array(length)).subarray(0, octets);
  peer.send(headers(id, callHeaders()));
  for (let offset = 0; offset < bytes.length; offset += 16_000) {
    const isLast = offset + 16_000 >= bytes.length && octets === length + 5;
    peer.send(data(id, bytes.subarray(offset, offset + 16_000), isLast ? 1 : 0));
  }
}

/** The octets by which the server has opened a stream's window. */
function openedBytes(peer: TestPeer, id: number): number {
  return peer.received.filter(({ type, streamId }) => type === 8 && streamId === id)
    .reduce((sum, { payload }) => sum + new DataView(payload.buffer).getUint32(0), 0);
}

Deno.test("A request counts in memory until its call ends, however it ends", () => {
  const { memory, started, peers: [peer] } = server({ waitAboveBytes: 1e9, maxBytes: 1e9 });
  sendMessage(peer!, 1, 100_000);
  sendMessage(peer!, 3, 100_000);
  sendMessage(peer!, 5, 100_000, 50_000);
  assert(memory.usedBytes > 250_000, `${memory.usedBytes}`);
  started[0]!.answer(null, new Uint8Array(3));
  peer!.read();
  assertEquals(peer!.response(1).trailers["grpc-status"], OK);
  peer!.send(rstStream(3), rstStream(5));
  started[1]!.answer(null, new Uint8Array(3));
  assertEquals(memory.usedBytes, 0);
});

Deno.test("Without room a client's window stays closed, and opens when other calls have ended", () => {
  const { memory, started, peers: [first, second] } = server({ waitAboveBytes: 100_000, maxBytes: 1e9 }, 2);
  sendMessage(first!, 1, 200_000);
  // As many as may always continue.
  for (let id = 3; id < 3 + 2 * 16; id += 2) sendMessage(first!, id, 1_000_000, 16_000);
  sendMessage(second!, 1, 1_000_000, 250_000);
  assertEquals(openedBytes(second!, 1), 0);
  for (let id = 3; id < 3 + 2 * 16; id += 2) first!.send(rstStream(id));
  started[0]!.answer(null, new Uint8Array(0));
  second!.read();
  assertEquals(openedBytes(second!, 1), 250_000);
  assert(memory.usedBytes >= 250_000);
});

Deno.test("A message within its first window never waits", () => {
  const { memory, started, peers: [peer] } = server({ waitAboveBytes: 0, maxBytes: 1e9 });
  const ids = Array.from({ length: 40 }, (_, i) => 1 + 2 * i);
  for (const id of ids) sendMessage(peer!, id, 200_000);
  for (const _ of ids) {
    started.pop()!.answer(null, new Uint8Array(0));
    peer!.read();
  }
  assertEquals(ids.map((id) => peer!.response(id).trailers["grpc-status"]), ids.map(() => OK));
  assertEquals(memory.usedBytes, 0);
});

Deno.test("At the limit requests are refused, and the connection continues", () => {
  const { memory, peers: [peer] } = server({ waitAboveBytes: 100_000, maxBytes: 300_000 });
  for (let id = 1; id < 12; id += 2) sendMessage(peer!, id, 1_000_000, 100_000);
  const statuses = [1, 3, 5, 7, 9, 11].map((id) => peer!.response(id).trailers["grpc-status"]);
  assert(statuses.includes(RESOURCE_EXHAUSTED), `${statuses}`);
  assert(statuses.includes(undefined));
  assert(memory.usedBytes <= 300_000);
  assertEquals(peer!.goaway, undefined);
});

Deno.test("Without room a connection runs one call at a time", () => {
  const full = 4 * 2 ** 20;
  const { memory, started, peers: [first, second] } = server({ waitAboveBytes: full, maxBytes: 1e9 }, 2);
  memory.add(full);
  for (const id of [1, 3, 5]) first!.call(id);
  second!.call(1);
  assertEquals(started.length, 2);
  started[0]!.answer(null, new Uint8Array(0));
  first!.read();
  assertEquals(started.length, 3);
  memory.release(full);
  assertEquals(started.length, 4);
});

Deno.test("Unread responses count in memory until the client reads or disconnects", () => {
  const { memory, started, peers: [first, second] } = server({ waitAboveBytes: 1e9, maxBytes: 1e9 }, 2);
  for (const peer of [first!, second!]) {
    peer.call(1);
    started.pop()!.answer(null, new Uint8Array(1_000_000));
    peer.read();
  }
  assert(memory.usedBytes > 1_800_000, `${memory.usedBytes}`);
  first!.send(windowUpdate(0, 2_000_000), windowUpdate(1, 2_000_000));
  assertEquals(first!.response(1).trailers["grpc-status"], OK);
  second!.connection.abandon();
  assertEquals(memory.usedBytes, 0);
});

Deno.test("A handler that throws, or whose client disconnects, leaves nothing counted in memory", () => {
  const memory = new MessageMemory({ waitAboveBytes: 1e9, maxBytes: 1e9 });
  const throwing = TestPeer.ready({
    memory,
    implementation: {
      unary: () => {
        throw new Error("a mistake");
      },
    },
  });
  sendMessage(throwing, 1, 100_000);
  assertEquals(throwing.errors.length, 1);
  const answers: UnaryCallback<Uint8Array>[] = [];
  const slow = TestPeer.ready({ memory, implementation: { unary: (_call, answer) => answers.push(answer) } });
  sendMessage(slow, 1, 100_000);
  slow.send(rstStream(1));
  answers[0]!(null, new Uint8Array(1));
  assertEquals(memory.usedBytes, 0);
});
