import type { Effort } from "./effort.ts";
import { cpuStepUs, figuresOf, type RunMeasurement, totalFailures } from "./measure.ts";
import type { Bench } from "./part.ts";
import type { Row } from "./report/results.ts";
import { summarize } from "./report/statistics.ts";

/** One who does the same as the others. */
export interface Contender {
  readonly name: string;
  measure(): Promise<RunMeasurement>;
  /** What a reader should hear of behind the last repeat. */
  remarks?(): string[];
}

/** How often each contender is measured, those measurements included that are thrown away. */
export function measurementsOf({ warmUpRounds, runs }: Effort): number {
  return warmUpRounds + runs;
}

/**
 * Measures contenders in turn, repeat by repeat, so that what else goes on in the machine hits all of them, and each
 * as often before that as the others, so that all are warm. The first is the service; each other row says how many
 * times its calls the service answers.
 */
export async function sideBySide(
  what: string,
  contenders: readonly Contender[],
  { effort, signal }: Bench,
): Promise<Row[]> {
  const runs: RunMeasurement[][] = contenders.map(() => []);
  // All have just been started, and it takes seconds until their code is compiled.
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

/** How many times the calls of `others` the `ours` are, repeat by repeat. */
export function ratios(ours: readonly RunMeasurement[], others: readonly RunMeasurement[]): number[] {
  return ours.map(({ callsPerSecond }, at) => callsPerSecond / others[at]!.callsPerSecond);
}
