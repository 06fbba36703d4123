import { assert, assertEquals, assertThrows } from "@std/assert";
import { BufferPool } from "../../../../src/transport/buffer_pool.ts";
import { ConnectionError } from "../../../../src/transport/http2/errors.ts";
import { FrameReader } from "../../../../src/transport/http2/frame_reader.ts";
import { concat, frame } from "../../../protocol/frames.ts";

type Seen = readonly [type: number, flags: number, streamId: number, payload: Uint8Array];

function reading(): { readonly reader: FrameReader; readonly seen: Seen[]; readonly sources: Uint8Array[] } {
  const seen: Seen[] = [];
  const sources: Uint8Array[] = [];
  const reader = new FrameReader({
    onFrame(type, flags, streamId, bytes, start, end) {
      seen.push([type, flags, streamId, bytes.slice(start, end)]);
      sources.push(bytes);
    },
  }, new BufferPool());
  return { reader, seen, sources };
}

const PAYLOADS = [0, 1, 8, 9, 300, 16_384].map((length) => new Uint8Array(length).map((_, i) => i));
const FRAMES = PAYLOADS.map((payload, i): Seen => [i, 255 - i, 2 ** 31 - 1 - i, payload]);
const OCTETS = concat(
  ...FRAMES.map(([type, flags, streamId, payload]) => frame(type, flags, streamId, payload)),
);

for (const size of [1, 2, 8, 9, 10, 17, 1000, 16_393, OCTETS.length]) {
  Deno.test(`FrameReader.push() finds the same frames in chunks of ${size}`, () => {
    const { reader, seen } = reading();
    for (let offset = 0; offset < OCTETS.length; offset += size) {
      reader.push(OCTETS.slice(offset, offset + size), 0);
    }
    assertEquals(seen, FRAMES);
    assertEquals(reader.framesRead, FRAMES.length);
    assert(!reader.isInsideFrame);
  });
}

Deno.test("FrameReader.push() copies only the frame that is cut by the end of a chunk", () => {
  const { reader, sources } = reading();
  const [first, second] = [OCTETS.slice(0, 100), OCTETS.slice(100)];
  reader.push(first, 0);
  assert(reader.isInsideFrame);
  reader.push(second, 0);
  assertEquals(sources.map((source) => source === first ? 1 : source === second ? 2 : 0), [1, 1, 1, 1, 0, 2]);
});

Deno.test("FrameReader.push() refuses a frame of 16,385 octets by its header alone", () => {
  const { reader } = reading();
  assertThrows(() => reader.push(frame(0, 0, 1, new Uint8Array(16_385)).subarray(0, 9), 0), ConnectionError);
});
