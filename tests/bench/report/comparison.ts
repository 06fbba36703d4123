import { figureText } from "./markdown.ts";
import { METRIC_NAMES, METRICS } from "./metrics.ts";
import type { Results, Row } from "./results.ts";
import type { Summary } from "./statistics.ts";

/** By how much a median has to be worse to be flagged. */
const TOLERANCE = 0.1;

/** What is worse than it was, a sentence each, and what stands beside the sentences. */
export interface Comparison {
  readonly worse: readonly string[];
  /** How many figures both results have. */
  readonly compared: number;
  /** Why the two may not be comparable. */
  readonly doubts: readonly string[];
}

/**
 * What is worse in `now` than in `before`: a figure whose median is more than 10 % worse, and of which not even
 * the best repeat is as good as the worst one before. The second half keeps the machine's noise out; it lets a
 * regression pass that is smaller than the noise, as any rule on these figures must.
 */
export function compare(before: Results, now: Results): Comparison {
  const earlier = new Map(rowsOf(before));
  const worse: string[] = [];
  let compared = 0;
  for (const [name, { figures }] of rowsOf(now)) {
    for (const metric of METRIC_NAMES) {
      const [old, fresh] = [earlier.get(name)?.figures[metric], figures[metric]];
      if (old === undefined || fresh === undefined) continue;
      compared++;
      const form = METRICS[metric];
      if (!isWorse(old, fresh, form.better)) continue;
      worse.push(`${name}: ${form.heading} was ${figureText(old, form)}, is ${figureText(fresh, form)}`);
    }
  }
  return { worse, compared, doubts: doubtsAbout(before, now) };
}

/** By the rule of {@link compare}. */
export function isWorse(before: Summary, now: Summary, better: "more" | "less"): boolean {
  return better === "more"
    ? now.median < before.median * (1 - TOLERANCE) && now.max < before.min
    : now.median > before.median * (1 + TOLERANCE) && now.min > before.max;
}

function rowsOf({ sections }: Results): [name: string, row: Row][] {
  return sections.flatMap(({ part, rows }) =>
    rows.map((row): [string, Row] => [`${part}: ${row.labels.join(", ")}`, row])
  );
}

function doubtsAbout(before: Results, now: Results): string[] {
  const named = (what: string, old: unknown, fresh: unknown) =>
    old === fresh ? [] : [`${what} was ${old}, is ${fresh}`];
  return [
    ...named("the effort", before.effort.name, now.effort.name),
    ...(["cpu", "cores", "deno", "redis", "database"] as const).flatMap((key) =>
      named(key, before.machine[key], now.machine[key])
    ),
  ];
}
