import { figureText } from "./markdown.ts";
import { type Metric, METRIC_NAMES, type MetricForm, METRICS } from "./metrics.ts";
import { failedCalls, type Results, type Row } from "./results.ts";
import type { Summary } from "./statistics.ts";

/** A median that is worse by more than this share is flagged. */
const TOLERANCE = 0.1;
/** A figure of any spread is flagged if every repeat is worse than the earlier median by this share. */
const LARGE = 1 / 3;
/** A difference of this many steps of the CPU clock is one: a step may fall to either side of what is measured. */
const CPU_STEPS = 1.5;

const CPU_METRICS: readonly Metric[] = ["serviceCpuUs", "redisCpuUs", "databaseCpuUs", "replicaCpuUs"];

/** The result of a comparison. */
export interface Comparison {
  readonly worse: readonly string[];
  /** How many figures both results have. */
  readonly compared: number;
  /** Why the two may not be comparable, and what could not be compared. */
  readonly doubts: readonly string[];
}

/**
 * What is worse in `now` than in `before`, by the rule of {@link isWorse}. A row that is gone or has failed calls in
 * either is not compared and is a doubt; a new row is not.
 */
export function compare(before: Results, now: Results): Comparison {
  const fresh = new Map(rowsOf(now));
  const worse: string[] = [];
  const doubts = [...doubtsAbout(before, now), ...goneSections(before, now)];
  let compared = 0;
  for (const [name, old] of rowsOf(before)) {
    const row = fresh.get(name);
    if (row === undefined) {
      if (hasPart(now, old.part)) doubts.push(`${name}: was measured, and is not`);
      continue;
    }
    const [failedThen, failedNow] = [failedCalls(old), failedCalls(row)];
    if (failedThen + failedNow > 0) {
      doubts.push(`${name}: is not compared, ${failedThen} calls failed then, ${failedNow} now`);
      continue;
    }
    for (const metric of METRIC_NAMES) {
      const [was, is] = [old.figures[metric], row.figures[metric]];
      if (was === undefined || is === undefined) continue;
      compared++;
      const form: MetricForm = METRICS[metric];
      const options = { better: form.better, leastDifference: leastDifference(metric, old, row) };
      if (!isWorse(was, is, options)) continue;
      worse.push(`${name}: ${form.heading} was ${figureText(was, form)}, is ${figureText(is, form)}`);
    }
  }
  return { worse, compared, doubts };
}

/** Which way a figure is better, and the smallest difference that counts. */
export interface ComparedMetric {
  readonly better: "more" | "less";
  readonly leastDifference: number;
}

/**
 * A figure is worse if its median is more than 10 % worse and even its best repeat is worse than the worst earlier one:
 * with three repeats each, noise alone does that once in twenty times. One bad earlier repeat would excuse anything, so
 * a figure is also worse if every repeat is more than a third worse than the earlier median. A smaller regression
 * within the noise passes, as it does by any rule on these figures. A median that differs by less than
 * `leastDifference` is never worse.
 */
export function isWorse(was: Summary, is: Summary, { better, leastDifference }: ComparedMetric): boolean {
  if (Math.abs(is.median - was.median) < leastDifference) return false;
  return better === "more"
    ? is.median < was.median * (1 - TOLERANCE) && is.max < was.min || is.max < was.median * (1 - LARGE)
    : is.median > was.median * (1 + TOLERANCE) && is.min > was.max || is.min > was.median * (1 + LARGE);
}

/** The smallest difference that a report shows; for CPU time, more than one step of its clock. */
function leastDifference(metric: Metric, ...rows: readonly Row[]): number {
  const steps = CPU_METRICS.includes(metric) ? rows.map(({ cpuStepUs = 0 }) => cpuStepUs * CPU_STEPS) : [];
  return Math.max(10 ** -METRICS[metric].decimals, ...steps);
}

/** The rows of all sections, by the part and the labels. */
function rowsOf({ sections }: Results): [name: string, row: Row & { readonly part: string }][] {
  return sections.flatMap(({ part, rows }) =>
    rows.map((row): ReturnType<typeof rowsOf>[number] => [
      `${part}: ${row.labels.join(", ")}`,
      { ...row, part },
    ])
  );
}

function goneSections(before: Results, now: Results): string[] {
  return before.sections.filter(({ part, rows }) => rows.length > 0 && !hasPart(now, part))
    .map(({ part }) => `${part}: was measured, and is not`);
}

/** Whether anything was measured of a part. */
function hasPart({ sections }: Results, name: string): boolean {
  return sections.some(({ part, rows }) => part === name && rows.length > 0);
}

/** Differences in what should be the same on both sides, as far as the results have it. */
function doubtsAbout(before: Results, now: Results): string[] {
  const named = (what: string, was: unknown, is: unknown) =>
    was === is ? [] : [`${what} was ${was ?? "none"}, is ${is ?? "none"}`];
  const machine = [
    "cpu",
    "cores",
    "memoryGiB",
    "kernel",
    "deno",
    "node",
    "redis",
    "database",
    "h2load",
  ] as const;
  return [
    ...named("the effort", before.effort.name, now.effort.name),
    ...named("the number of repeats", before.effort.runs, now.effort.runs),
    ...named("the measured time in ms", before.effort.measuredMs, now.effort.measuredMs),
    ...machine.flatMap((key) => named(key, before.machine[key], now.machine[key])),
  ];
}
