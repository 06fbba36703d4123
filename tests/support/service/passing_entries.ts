/**
 * Passes entries through the structures that hold work under way, in a process of its own. Prints as JSON by how much the
 * heap has grown after a collection of its young generation only: the memory that the structures still retain.
 */
import { cacheKey } from "../../../src/core/key.ts";
import { TransientMap } from "../../../src/cache/transient_map.ts";
import { OpenStreams } from "../../../src/transport/http2/open_streams.ts";
import { collectGarbage } from "../collect_garbage.ts";
import { printLine } from "../runner/print_line.ts";

/** A structure that entries pass through. */
interface Passage {
  add(index: number): void;
  remove(index: number): void;
}

/** How many are under way at a time, and how many pass in all. */
const UNDER_WAY = 64;
const PASSING = 40_000;
const ENTRY_NUMBERS = 100;

/** About 1 KiB. */
function load(): number[] {
  return Array.from({ length: ENTRY_NUMBERS }, () => Math.random());
}

function passages(): Record<string, Passage> {
  const keyOf = (index: number) => cacheKey("passing", `${index}`);
  const transient = new TransientMap<string, unknown>();
  const streams = new OpenStreams<{ readonly id: number; readonly load: unknown }>();
  const plain = new Map<string, unknown>();
  return {
    Map: { add: (index) => plain.set(keyOf(index), load()), remove: (index) => plain.delete(keyOf(index)) },
    TransientMap: {
      add: (index) => transient.add(keyOf(index), load()),
      remove: (index) => transient.delete(keyOf(index)),
    },
    OpenStreams: {
      add: (index) => streams.add({ id: 2 * index + 1, load: load() }),
      remove: (index) => streams.delete(2 * index + 1),
    },
  };
}

function measure({ add, remove }: Passage): number {
  for (let index = 0; index < UNDER_WAY; index++) add(index);
  // Everything allocated so far moves to the old generation, the structure itself included.
  collectGarbage("major");
  const before = Deno.memoryUsage().heapUsed;
  for (let index = UNDER_WAY; index < UNDER_WAY + PASSING; index++) {
    remove(index - UNDER_WAY);
    add(index);
  }
  collectGarbage("minor");
  return Deno.memoryUsage().heapUsed - before;
}

if (import.meta.main) {
  const grown = Object.entries(passages()).map(([name, passage]) => [name, measure(passage)]);
  printLine(JSON.stringify(Object.fromEntries(grown)));
}
