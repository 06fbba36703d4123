/**
 * Fills and churns local memories in a process of its own. Takes the seed on its command line, and prints as JSON the
 * bytes that they count and the bytes that are really alive.
 */
import { systemClock } from "../../../src/core/clock.ts";
import { cacheKey } from "../../../src/core/key.ts";
import { UNVERSIONED } from "../../../src/core/version.ts";
import { LruMemory, type LruOptions } from "../../../src/store/memory/lru.ts";
import { memoryWithoutGarbage } from "../collect_garbage.ts";
import { printLine } from "../runner/print_line.ts";
import { seededRandom } from "../seeded_random.ts";

/** The state of a memory after one mix of values. */
export interface ChurnedMemory {
  readonly mix: string;
  readonly countedBytes: number;
  /** The bytes alive on the heap and in buffers. */
  readonly liveBytes: number;
}

export const CHURN_LIMITS: LruOptions = { maxBytes: 32 * 2 ** 20, maxEntryBytes: 2 ** 20 };

/** Several times as many as there is room for. */
const KEYS = 400_000;

const MIXES: readonly { readonly name: string; readonly steps: number; size(random: number): number }[] = [
  { name: "small values", steps: 300_000, size: (random) => 200 * random },
  { name: "values up to what a slab takes", steps: 60_000, size: (random) => 4_200 * random },
  { name: "values of all sizes", steps: 20_000, size: (random) => 100 + 200_000 * random ** 8 },
];

async function measure(seed: number): Promise<ChurnedMemory[]> {
  const random = seededRandom(seed);
  const measured: ChurnedMemory[] = [];
  const before = await liveBytes();
  for (const mix of MIXES) {
    const memory = new LruMemory(CHURN_LIMITS, systemClock);
    churn(memory, mix, random);
    const grown = await liveBytes() - before;
    measured.push({ mix: mix.name, countedBytes: memory.usedBytes, liveBytes: grown });
  }
  return measured;
}

/** Sets and some deletes of random keys, so that slabs and the map have holes. */
function churn(memory: LruMemory, { steps, size }: typeof MIXES[number], random: () => number): void {
  const store = memory.byteStore();
  for (let step = 0; step < steps; step++) {
    const key = cacheKey("churn", String(Math.floor(random() * KEYS)));
    if (random() < 0.1) store.delete(key);
    else {store.set(key, {
        value: new Uint8Array(size(random())),
        expiresAtMs: Infinity,
        version: UNVERSIONED,
      });}
  }
}

/** The bytes alive on the heap and in buffers. */
async function liveBytes(): Promise<number> {
  const { heapUsed, external } = await memoryWithoutGarbage();
  return heapUsed + external;
}

if (import.meta.main) printLine(JSON.stringify(await measure(Number(Deno.args[0]))));
