import type { Measurement } from "../load/load.ts";
import { EndlessWriter } from "../load/client/endless_writer.ts";
import { complaintsOf, cpuStepUs, figuresOf, Repeats, storeKeys, totalFailures } from "../measure.ts";
import type { Bench, Part } from "../part.ts";
import type { Row } from "../report/results.ts";
import { summarize } from "../report/statistics.ts";
import { type Scenario, type ScenarioLoad, VALUE } from "../scenarios.ts";
import { canStart, type RunningSetup, type ServiceSetup, startSetup } from "../setup.ts";

/** Small, so that it is full at once and each further entry evicts another. */
const MAX_BYTES = 4 * 2 ** 20;
/** More than there is room for. */
const FILLING_KEYS = 2 * MAX_BYTES / 256;

const SETUP: ServiceSetup = {
  // A Set through Redis does not fill memory, and so evicts nothing.
  profile: "embedded",
  localMemory: "on",
  settings: { "cache.local.max_bytes": `${MAX_BYTES}B`, "cache.local.max_entry_bytes": "64KiB" },
};

/** Few enough to stay in memory while they are read. */
const HOT_KEYS = 1_000;
const READERS: ScenarioLoad = { generator: "deno", shape: { connections: 8, streams: 16 } };
const GETS: Scenario = {
  name: "eviction",
  preparation: "keys stored by the service",
  method: "Get",
  keys: { count: HOT_KEYS, order: "cycle" },
  expectation: VALUE,
  loads: [],
};

const WRITER_STREAMS = 16;
/** What is written meanwhile. The second evicts nothing: the third minus the second is the cost of eviction. */
const WRITERS = [
  { name: "no writer", keys: 0 },
  { name: "one writes the same 256 keys", keys: 256 },
  { name: "one writes new keys, each evicts another", keys: Infinity },
] as const;

/** The readers' process ends after their measured time, later by at most this share of it. */
const END_SHARE = 1 / 4;

/** What readers notice of eviction while memory is full. */
export const eviction: Part = {
  name: "eviction",
  title: "Gets while L1 evicts",
  labels: ["meanwhile"],
  note: `${READERS.shape.connections} x ${READERS.shape.streams} Gets in flight of ${HOT_KEYS} keys in L1. ` +
    `\`cache.local.max_bytes\` is ${
      MAX_BYTES / 2 ** 20
    } MiB, and memory is full. A writer has one connection and ` +
    `${WRITER_STREAMS} Sets in flight, into SQLite. Measured in turn, repeat by repeat. Sets/s are the writer's, and ` +
    "µs are per call, Gets and Sets together.",
  measure,
};

async function* measure(bench: Bench): AsyncGenerator<Row> {
  if (!canStart(SETUP)) return;
  await using setup = await startSetup(SETUP, bench);
  await storeKeys({ method: "Get", group: "filling", first: 0, count: FILLING_KEYS }, setup.addresses);
  const readers = new Repeats(GETS, setup, bench);
  const runs = WRITERS.map(() => [] as Run[]);
  let firstNewKey = 0;
  const { warmUpRounds } = bench.effort;
  for (let round = 0; round < warmUpRounds + bench.effort.runs; round++) {
    for (const [at, { keys }] of WRITERS.entries()) {
      bench.signal.throwIfAborted();
      const run = await measureBeside({ keys, first: firstNewKey }, readers, setup);
      firstNewKey += run.sets;
      if (round >= warmUpRounds) runs[at]!.push(run);
    }
  }
  const [alone] = runs;
  for (const [at, { name, keys }] of WRITERS.entries()) {
    const these = runs[at]!;
    yield {
      labels: [name],
      figures: {
        ...figuresOf(these.map(({ gets }) => gets)),
        ...(keys > 0 && {
          p99OfAlone: summarize(these.map(({ gets }, repeat) => gets.p99Ms / alone![repeat]!.gets.p99Ms)),
          setsPerSecond: summarize(these.map(({ setsPerSecond }) => setsPerSecond)),
        }),
      },
      cpuStepUs: cpuStepUs(these.map(({ gets }) => gets)),
      failures: totalFailures(these.map(({ gets, failures }) => ({ ...gets, failures }))),
      remarks: complaintsOf(setup),
    };
  }
}

/** One repeat. */
interface Run {
  /** CPU time is that of a call, be it a Get or a Set. */
  readonly gets: Measurement;
  readonly sets: number;
  readonly setsPerSecond: number;
  /** Of Gets and Sets. */
  readonly failures: Readonly<Record<string, number>>;
}

async function measureBeside(
  { keys, first }: { readonly keys: number; readonly first: number },
  readers: Repeats,
  { addresses: [address] }: RunningSetup,
): Promise<Run> {
  if (keys === 0) {
    const gets = await readers.measure(READERS);
    return { gets, sets: 0, setsPerSecond: 0, failures: gets.failures };
  }
  const writer = new EndlessWriter({
    address: address!,
    streams: WRITER_STREAMS,
    group: `written-${keys}`,
    first,
    keys,
  });
  const gets = await readers.measure(READERS);
  const endedAtMs = performance.now();
  const { sets, failures } = await writer.stop();
  const measuredMs = gets.calls / gets.callsPerSecond * 1000;
  const setsPerSecond = writer.setsPerSecond(endedAtMs - measuredMs, endedAtMs - measuredMs * END_SHARE);
  return {
    gets: { ...gets, cpuUs: sharedWith(setsPerSecond, gets) },
    sets,
    setsPerSecond,
    failures: { ...gets.failures, ...failures },
  };
}

/** Divides CPU time, measured per Get, by the number of all calls: Gets and Sets. */
function sharedWith(setsPerSecond: number, { cpuUs, callsPerSecond }: Measurement): Measurement["cpuUs"] {
  const share = callsPerSecond / (callsPerSecond + setsPerSecond);
  return Object.fromEntries(Object.entries(cpuUs).map(([role, us]) => [role, us * share]));
}
