import { assertEquals } from "@std/assert";
import {
  concatenated,
  encodeFrame,
  encodeSettings,
  encodeWindowUpdate,
  type Frame,
  FrameReader,
  FrameType,
  readSettings,
  readUint32,
} from "../../bench/client/frames.ts";

Deno.test("FrameReader.next() yields the same frames however the bytes are cut", () => {
  const sent = [
    encodeSettings([[0x1, 0], [0x4, 2 ** 31 - 1]]),
    encodeFrame(FrameType.DATA, 1, 2 ** 31 - 1, new Uint8Array(70_000).fill(7)),
    encodeFrame(FrameType.PING, 0, 0, new Uint8Array(8)),
    encodeWindowUpdate(3, 2 ** 31 - 1),
  ];
  const bytes = concatenated(sent);
  for (const chunkBytes of [7, 9, 1000, bytes.length]) {
    const frames = readAll(bytes, chunkBytes);
    assertEquals(frames.map(({ type }) => type), [
      FrameType.SETTINGS,
      FrameType.DATA,
      FrameType.PING,
      FrameType.WINDOW_UPDATE,
    ]);
    const [settings, data, ping, update] = frames;
    assertEquals([...readSettings(settings!.payload)], [[0x1, 0], [0x4, 2 ** 31 - 1]]);
    assertEquals(data!.streamId, 2 ** 31 - 1);
    assertEquals(data!.flags, 1);
    assertEquals(data!.payload, new Uint8Array(70_000).fill(7));
    assertEquals(ping!.payload.length, 8);
    assertEquals(readUint32(update!.payload, 0), 2 ** 31 - 1);
  }
});

Deno.test("FrameReader.next() keeps no view of the chunk that was pushed", () => {
  const reader = new FrameReader();
  const chunk = encodeFrame(FrameType.DATA, 0, 1, Uint8Array.of(1, 2, 3));
  reader.push(chunk);
  chunk.fill(0);
  assertEquals(reader.next()?.payload, Uint8Array.of(1, 2, 3));
  assertEquals(reader.next(), undefined);
});

function readAll(bytes: Uint8Array, chunkBytes: number): Frame[] {
  const reader = new FrameReader();
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    reader.push(bytes.subarray(at, at + chunkBytes));
    for (let frame = reader.next(); frame !== undefined; frame = reader.next()) frames.push(frame);
  }
  return frames;
}
