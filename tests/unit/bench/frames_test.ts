import { assertEquals } from "@std/assert";
import {
  encodeFrame,
  encodeSettings,
  encodeWindowUpdate,
  type Frame,
  FrameReader,
  FrameType,
  readSettings,
  readUint32,
} from "../../bench/load/client/frames.ts";

Deno.test("FrameReader.next() yields the same frames however the bytes are cut", () => {
  const sent = [
    encodeSettings([[0x1, 0], [0x4, 2 ** 31 - 1]]),
    encodeFrame(FrameType.DATA, 1, 2 ** 31 - 1, new Uint8Array(70_000).fill(7)),
    encodeFrame(FrameType.PING, 0, 0, new Uint8Array(8)),
    encodeWindowUpdate(3, 2 ** 31 - 1),
  ];
  const bytes = Uint8Array.from(sent.flatMap((frame) => [...frame]));
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

Deno.test("FrameReader.room() keeps a frame whose end is still to come, however long it is", () => {
  const reader = new FrameReader();
  const frame = encodeFrame(FrameType.DATA, 0, 1, new Uint8Array(300_000).fill(7));
  put(reader, frame.subarray(0, 8));
  assertEquals(reader.next(), undefined);
  put(reader, frame.subarray(8, 200_000));
  assertEquals(reader.next(), undefined);
  put(reader, frame.subarray(200_000));
  assertEquals(reader.next()?.payload, new Uint8Array(300_000).fill(7));
});

function readAll(bytes: Uint8Array, chunkBytes: number): Frame[] {
  const reader = new FrameReader();
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    put(reader, bytes.subarray(at, at + chunkBytes));
    for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
      frames.push({ ...frame, payload: frame.payload.slice() });
    }
  }
  return frames;
}

/** As a socket does: as much at a time as there is room for. */
function put(reader: FrameReader, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    const room = reader.room();
    const length = Math.min(room.length, bytes.length - at);
    room.set(bytes.subarray(at, at + length));
    reader.filled(length);
    at += length;
  }
}
