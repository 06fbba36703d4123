import type { Effort } from "../effort.ts";
import type { Machine } from "../machine.ts";
import type { Metric } from "./metrics.ts";
import type { Summary } from "./statistics.ts";

/** What was measured of one thing. */
export type Figures = Readonly<Partial<Record<Metric, Summary>>>;

/** One thing that was measured. */
export interface Row {
  /** A cell for each of the section's labels; unique within the section. */
  readonly labels: readonly string[];
  readonly figures: Figures;
  /** One step of the CPU clock in the figures, in µs a call; absent without CPU time. */
  readonly cpuStepUs?: number;
  /** Calls of all repeats that were not answered as expected, by what they got instead. */
  readonly failures?: Readonly<Record<string, number>>;
  /** What else a reader needs, a sentence each: warnings in the service's log, a distribution. */
  readonly remarks?: readonly string[];
}

/** The result of one part of the benchmark. */
export interface Section {
  /** The part's name, as `--only` takes it. */
  readonly part: string;
  readonly title: string;
  /** The headings of the rows' labels. */
  readonly labels: readonly string[];
  /** What a reader needs to know, in Markdown. */
  readonly note: string;
  readonly rows: readonly Row[];
}

/** The results of a run. `--json` writes and `--compare` reads them as JSON. */
export interface Results {
  readonly machine: Machine;
  readonly effort: Effort;
  readonly sections: readonly Section[];
}

/** How many calls were not answered as expected. */
export function failedCalls({ failures = {} }: Row): number {
  return Object.values(failures).reduce((total, calls) => total + calls, 0);
}
