import type { Effort } from "../effort.ts";
import type { Machine } from "../machine.ts";
import type { Metric } from "./metrics.ts";
import type { Summary } from "./statistics.ts";

/** What was measured of one thing. */
export type Figures = Readonly<Partial<Record<Metric, Summary>>>;

/** One thing that was measured. */
export interface Row {
  /** What it is, a cell for each of the section's labels; no other row of the section says the same. */
  readonly labels: readonly string[];
  readonly figures: Figures;
  /** What one step of the CPU clock comes to in the figures, in µs a call; none where they hold no CPU time. */
  readonly cpuStepUs?: number;
  /** Calls of all repeats that were not answered as expected, by what they got instead. */
  readonly failures?: Readonly<Record<string, number>>;
  /** What else a reader should hear of, a sentence each: warnings in the service's log, a distribution. */
  readonly remarks?: readonly string[];
}

/** What one part of the benchmark has found out. */
export interface Section {
  /** The part's name, as `--only` takes it. */
  readonly part: string;
  readonly title: string;
  /** The headings of the rows' labels. */
  readonly labels: readonly string[];
  /** What a reader has to know, in Markdown. */
  readonly note: string;
  readonly rows: readonly Row[];
}

/** Everything that a run has found out; as JSON it is what `--json` writes and `--compare` reads. */
export interface Results {
  readonly machine: Machine;
  readonly effort: Effort;
  readonly sections: readonly Section[];
}

/** How many calls were not answered as expected. */
export function failedCalls({ failures = {} }: Row): number {
  return Object.values(failures).reduce((total, calls) => total + calls, 0);
}
