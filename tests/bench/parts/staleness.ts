import { findProgram } from "../../support/servers/find_program.ts";
import type { Bench, Part } from "../part.ts";
import type { Row } from "../report/results.ts";
import { percentiles, summarize } from "../report/statistics.ts";
import { measureStaleness, OTHERS } from "../staleness/measure_staleness.ts";
import { histogram } from "../staleness/histogram.ts";

/** The first writes, which do not count. */
const WARM_UP_WRITES = 300;
const BOUNDS_MS = [0, 0.1, 0.2, 0.5, 1, 2, 5, 10];

/** How long a replica's memory is stale after a write through another replica. */
export const staleness: Part = {
  name: "staleness",
  title: "Staleness between replicas",
  labels: ["from", "until"],
  note:
    `One replica writes a key that ${OTHERS} others hold in memory, each replica in a thread of its own, on a ` +
    "Redis of their own; the next write waits until all have read the value again. 0 ms: the others were " +
    "invalidated before the write returned.",
  measure,
};

async function* measure({ effort, signal }: Bench): AsyncGenerator<Row> {
  if (findProgram("redis-server") === undefined) return;
  const runs: number[][] = [];
  for (let run = 0; run < effort.runs; run++) {
    signal.throwIfAborted();
    const warmUpWrites = Math.min(WARM_UP_WRITES, effort.staleWrites);
    runs.push((await measureStaleness(warmUpWrites + effort.staleWrites)).slice(warmUpWrites));
  }
  const perRun = runs.map((run) => percentiles(run, [50, 99, 99.9, 100]));
  const shares = histogram(runs.flat(), BOUNDS_MS).map(({ name, share }) =>
    `${name} ms ${(share * 100).toFixed(1)} %`
  );
  yield {
    labels: ["write acknowledged", `last of ${OTHERS} other replicas told`],
    figures: {
      p50Ms: summarize(perRun.map(([p50]) => p50)),
      p99Ms: summarize(perRun.map(([, p99]) => p99)),
      p999Ms: summarize(perRun.map(([, , p999]) => p999)),
      mostMs: summarize(perRun.map(([, , , most]) => most)),
    },
    remarks: [`of ${runs.flat().length} writes ${shares.join(", ")}`],
  };
}
