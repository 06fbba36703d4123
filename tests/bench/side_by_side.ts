import type { Effort } from "./effort.ts";
import { cpuStepUs, figuresOf, type RunMeasurement, totalFailures } from "./measure.ts";
import type { Bench } from "./part.ts";
import type { Row } from "./report/results.ts";
import { summarize } from "./report/statistics.ts";

/** One of several implementations that do the same. */
export interface Contender {
  readonly name: string;
  measure(): Promise<RunMeasurement>;
  /** Remarks for the reader, after the last repeat. */
  remarks?(): string[];
}

/** How often each contender is measured, discarded measurements included. */
export function measurementsOf({ warmUpRounds, runs }: Effort): number {
  return warmUpRounds + runs;
}

/**
 * Measures contenders in turn, repeat by repeat, so that other load on the machine affects all of them, and warms up
 * each as often as the others. The first is the service; the ratio of each other row is the service's calls/s by its own.
 */
export async function sideBySide(
  what: string,
  contenders: readonly Contender[],
  { effort, signal }: Bench,
): Promise<Row[]> {
  const runs: RunMeasurement[][] = contenders.map(() => []);
  // They have just been started, and compiling their code takes seconds.
  for (let round = 0; round < effort.warmUpRounds; round++) {
    for (const contender of contenders) {
      signal.throwIfAborted();
      await contender.measure();
    }
  }
  for (let run = 0; run < effort.runs; run++) {
    for (const [at, contender] of contenders.entries()) {
      signal.throwIfAborted();
      runs[at]!.push(await contender.measure());
    }
  }
  const [ours] = runs;
  return contenders.map(({ name, remarks }, at) => {
    const theirs = runs[at]!;
    const figures = figuresOf(theirs);
    return {
      labels: [what, name],
      figures: at === 0 ? figures : { ...figures, ratio: summarize(ratios(ours!, theirs)) },
      cpuStepUs: cpuStepUs(theirs),
      failures: totalFailures(theirs),
      remarks: remarks?.() ?? [],
    };
  });
}

/** The ratio of the calls/s of `ours` to those of `others`, repeat by repeat. */
export function ratios(ours: readonly RunMeasurement[], others: readonly RunMeasurement[]): number[] {
  return ours.map(({ callsPerSecond }, at) => callsPerSecond / others[at]!.callsPerSecond);
}
