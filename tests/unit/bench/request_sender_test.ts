import { assertEquals } from "@std/assert";
import { Flag, type Frame, FrameReader, FrameType } from "../../bench/load/client/frames.ts";
import { RequestSender } from "../../bench/load/client/request_sender.ts";

const PREFACE_BYTES = 24;

/** What a server sees of requests: the stream and the size of each DATA frame, negative at the request's end. */
function dataOf(bytes: Uint8Array): [streamId: number, size: number][] {
  return framesOf(bytes).filter(({ type }) => type === FrameType.DATA).map(({ streamId, flags, payload }) => [
    streamId,
    (flags & Flag.END_STREAM) === 0 ? payload.length : -payload.length,
  ]);
}

function framesOf(bytes: Uint8Array): Frame[] {
  const reader = new FrameReader();
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length; at += 1_000) {
    const piece = bytes.subarray(at, at + 1_000);
    reader.room().set(piece);
    reader.filled(piece.length);
    for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
      frames.push({ ...frame, payload: frame.payload.slice() });
    }
  }
  return frames;
}

/** A sender that has said what a client says first. */
function begunSender(): RequestSender {
  const sender = new RequestSender("/service/Method", "localhost:9000");
  assertEquals(framesOf(sender.take().slice(PREFACE_BYTES)).map(({ type }) => type), [
    FrameType.SETTINGS,
    FrameType.WINDOW_UPDATE,
  ]);
  return sender;
}

Deno.test("RequestSender.begin() lays out a small request as HEADERS and one DATA frame with its prefix", () => {
  const sender = begunSender();
  assertEquals(sender.begin(Uint8Array.of(7, 8, 9)), 1);
  assertEquals(sender.begin(new Uint8Array()), 3);
  const frames = framesOf(sender.take());
  assertEquals(frames.map(({ type, streamId }) => [type, streamId]), [
    [FrameType.HEADERS, 1],
    [FrameType.DATA, 1],
    [FrameType.HEADERS, 3],
    [FrameType.DATA, 3],
  ]);
  assertEquals(frames[1]!.payload, Uint8Array.of(0, 0, 0, 0, 3, 7, 8, 9));
  assertEquals(frames[3]!.payload, Uint8Array.of(0, 0, 0, 0, 0));
});

Deno.test("RequestSender.begin() stops at the connection's window, and widenWindow() goes on in order", () => {
  const sender = begunSender();
  sender.setStreamWindow(1_000_000);
  sender.begin(new Uint8Array(70_000));
  sender.begin(new Uint8Array(10));
  assertEquals(dataOf(sender.take()), [[1, 16_384], [1, 16_384], [1, 16_384], [1, 16_383]]);
  sender.widenWindow(0, 4_470);
  assertEquals(dataOf(sender.take()), [[1, -4_470]]);
  sender.widenWindow(0, 100);
  assertEquals(dataOf(sender.take()), [[3, -15]]);
});

Deno.test("RequestSender.begin() stops at the stream's window, and the parts make up the message", () => {
  const sender = begunSender();
  sender.setStreamWindow(300);
  const message = Uint8Array.from({ length: 400 }, (_, index) => index % 251);
  sender.begin(message);
  sender.begin(Uint8Array.of(1));
  const written = sender.take().slice();
  assertEquals(dataOf(written), [[1, 300], [3, -6]]);
  const before = framesOf(written);
  sender.widenWindow(3, 1_000);
  sender.widenWindow(1, 1_000);
  const frames = [...before, ...framesOf(sender.take())];
  const data = frames.filter(({ type, streamId }) => type === FrameType.DATA && streamId === 1);
  assertEquals(data.map(({ payload }) => payload.length), [300, 105]);
  assertEquals(data.flatMap(({ payload }) => [...payload]).slice(5), [...message]);
});

Deno.test("RequestSender.end() does not send the rest of a request that was answered early", () => {
  const sender = begunSender();
  sender.begin(new Uint8Array(70_000));
  sender.take();
  sender.end(1);
  sender.widenWindow(0, 100_000);
  sender.widenWindow(1, 100_000);
  assertEquals(sender.take().length, 0);
});

Deno.test("RequestSender.setStreamWindow() widens the windows of requests that are under way too", () => {
  const sender = begunSender();
  sender.begin(new Uint8Array(70_000));
  sender.take();
  sender.widenWindow(0, 100_000);
  assertEquals(dataOf(sender.take()), []);
  sender.setStreamWindow(80_000);
  assertEquals(dataOf(sender.take()), [[1, -4_470]]);
});
