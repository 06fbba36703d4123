import { assert, assertEquals } from "@std/assert";
import { Stream, type StreamHost } from "../../../../src/transport/http2/stream.ts";
import { StreamTable } from "../../../../src/transport/http2/stream_table.ts";
import { seededRandom, withSeed } from "../../../support/seeded_random.ts";

const HOST: StreamHost = {
  sendHeaders() {},
  sendData: () => true,
  writeData: () => true,
  sendTrailers() {},
  consume() {},
};

function streamOf(id: number): Stream {
  return new Stream(HOST, id, { sendBytes: 0, receiveBytes: 0 }, -1);
}

function idsOf(streams: Iterable<Stream>): number[] {
  return [...streams].map(({ id }) => id).sort((a, b) => a - b);
}

Deno.test("StreamTable finds every open stream and no other, whichever are closed and how far apart they are", () =>
  withSeed((seed) => {
    const random = seededRandom(seed);
    for (const [underWay, step] of [[1, 1], [16, 1], [300, 1], [40, 16], [40, 1_000]] as const) {
      const table = new StreamTable();
      const model = new Map<number, Stream>();
      for (let id = 1; id < 4_000 * step; id += 2 * step) {
        const stream = streamOf(id);
        table.add(stream);
        model.set(id, stream);
        while (model.size > underWay) {
          // Seldom the oldest: some streams outlive many.
          const open = [...model.values()];
          const gone = open[Math.floor(random() ** 0.3 * open.length)]!;
          table.remove(gone);
          model.delete(gone.id);
        }
        assertEquals(table.size, model.size);
        assert(table.get(id) === model.get(id));
        const asked = 1 + 2 * Math.floor(random() * 4_000 * step);
        assert(table.get(asked) === model.get(asked), `${asked} of ${idsOf(model.values())}`);
      }
      assertEquals(idsOf(table.values()), idsOf(model.values()));
      for (const stream of model.values()) assert(table.get(stream.id) === stream);
    }
    return Promise.resolve();
  }));

Deno.test("StreamTable.remove() of a stream that is not there changes nothing", () => {
  const table = new StreamTable();
  table.add(streamOf(1));
  table.remove(streamOf(3));
  assertEquals([table.size, idsOf(table.values())], [1, [1]]);
});

Deno.test("StreamTable calls idle what the client has not opened yet", () => {
  const table = new StreamTable();
  table.advance(5);
  assertEquals([1, 3, 5, 7].map((id) => table.isIdle(id)), [false, false, false, true]);
  assertEquals([2, 6].map((id) => table.isIdle(id)), [true, true]);
});
