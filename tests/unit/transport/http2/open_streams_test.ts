import { assert, assertEquals } from "@std/assert";
import { OpenStreams } from "../../../../src/transport/http2/open_streams.ts";
import { seededRandom, withSeed } from "../../../support/seeded_random.ts";

interface OpenStream {
  readonly id: number;
}

function idsOf(streams: Iterable<OpenStream>): number[] {
  return [...streams].map(({ id }) => id).sort((a, b) => a - b);
}

Deno.test("OpenStreams finds exactly the streams that were not deleted, however many and far apart they are", () =>
  withSeed((seed) => {
    const random = seededRandom(seed);
    for (const [underWay, step] of [[1, 1], [16, 1], [300, 1], [40, 16], [40, 1_000]] as const) {
      const streams = new OpenStreams<OpenStream>();
      const model = new Map<number, OpenStream>();
      for (let id = 1; id < 4_000 * step; id += 2 * step) {
        const stream = { id };
        streams.add(stream);
        model.set(id, stream);
        while (model.size > underWay) {
          // Rarely the oldest: some streams outlive many others.
          const open = [...model.values()];
          const gone = open[Math.floor(random() ** 0.3 * open.length)]!;
          streams.delete(gone.id);
          model.delete(gone.id);
        }
        assertEquals(streams.size, model.size);
        assert(streams.get(id) === model.get(id));
        const asked = 1 + 2 * Math.floor(random() * 4_000 * step);
        assert(streams.get(asked) === model.get(asked), `${asked} of ${idsOf(model.values())}`);
      }
      assertEquals(idsOf(streams.values()), idsOf(model.values()));
      for (const stream of model.values()) assert(streams.get(stream.id) === stream);
    }
    return Promise.resolve();
  }));

Deno.test("OpenStreams.delete() of an absent stream changes nothing", () => {
  const streams = new OpenStreams<OpenStream>();
  streams.add({ id: 1 });
  streams.delete(3);
  assertEquals([streams.size, idsOf(streams.values())], [1, [1]]);
});
