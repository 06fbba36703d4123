import type { Effort } from "../effort.ts";
import type { Machine } from "../machine.ts";
import { METRIC_NAMES, type MetricForm, METRICS } from "./metrics.ts";
import { failedCalls, type Results, type Row, type Section } from "./results.ts";
import type { Summary } from "./statistics.ts";

/** The results as Markdown whose tables can also be read as they are. */
export function toMarkdown({ machine, effort, sections }: Results): string {
  return [...preface(machine, effort), ...sections.map(sectionText)].join("\n\n") + "\n";
}

function preface(machine: Machine, { runs, measuredMs, name }: Effort): string[] {
  const { cpu, cores, memoryGiB, kernel, deno, node, redis, database, h2load, loadAverage, date, revision } =
    machine;
  const quick = name === "quick"
    ? " **A quick run, only to see that it works: its figures mean nothing.**"
    : "";
  return [
    `Measured by \`deno task bench\` on ${date}, commit ${revision}: ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${kernel}; ` +
    `Deno ${deno}, Node.js ${node ?? "none"}, Redis ${redis ?? "none"}, MySQL or MariaDB ${
      database ?? "none"
    }, ` +
    `h2load ${h2load ?? "none"}; load average ${loadAverage.toFixed(2)} before the start.${quick}`,
    `A figure is the median of ${runs} ${runs === 1 ? "repeat" : "repeats"}, of up to ${
      measuredMs / 1000
    } s each where calls are counted, ` +
    "followed by the least and the most. A method that takes each key once may run out of keys earlier, and h2load " +
    "makes a number of calls that takes about as long. µs are CPU time a call, user and system, of all threads of " +
    'the service, of Redis and of the database. "8 x 16" is 8 connections with 16 calls in flight on each.',
    "What this does not show: it is one machine over loopback, without a network. The load generator, Redis and the " +
    "database share the cores with the service, so calls/s compare and are no capacity; CPU time a call says more. " +
    "The load is closed (a call begins when another ends), so latencies under a fixed rate of arrivals differ, and " +
    "a pause shows in few of them. A database that was started for this run answers from its own memory and does " +
    "not wait for the disk at each commit.",
  ];
}

function sectionText(section: Section): string {
  const remarks = section.rows.flatMap(remarksOn);
  return [
    `### ${section.title}`,
    ...(section.note === "" ? [] : [section.note]),
    ...(section.rows.length === 0 ? ["Nothing was measured."] : [table(section)]),
    ...(remarks.length === 0 ? [] : [remarks.map((remark) => `- ${remark}`).join("\n")]),
  ].join("\n\n");
}

function table({ labels, rows }: Section): string {
  const metrics = METRIC_NAMES.filter((name) => rows.some(({ figures }) => figures[name] !== undefined));
  const lines = rows.map(({ labels, figures }) => [
    ...labels,
    ...metrics.map((name) => figureText(figures[name], METRICS[name])),
  ]);
  const headings = [...labels, ...metrics.map((name) => METRICS[name].heading)];
  const widths = headings.map((_, at) =>
    Math.max(...[headings, ...lines].map((line) => line[at]!.length), 4)
  );
  const row = (cells: readonly string[]) =>
    `| ${
      cells.map((cell, at) => at < labels.length ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!))
        .join(
          " | ",
        )
    } |`;
  const rule = widths.map((width, at) =>
    at < labels.length ? "-".repeat(width) : `${"-".repeat(width - 1)}:`
  );
  return [row(headings), row(rule), ...lines.map(row)].join("\n");
}

/** A figure with its spread, or a dash if there is none. */
export function figureText(summary: Summary | undefined, { decimals }: MetricForm): string {
  if (summary === undefined) return "-";
  const text = (value: number) =>
    value.toLocaleString("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  const [median, min, max] = [summary.median, summary.min, summary.max].map(text);
  return min === max ? median! : `${median} (${min}..${max})`;
}

function remarksOn(row: Row): string[] {
  const name = row.labels.join(", ");
  const calls = failedCalls(row);
  return [
    ...(calls === 0 ? [] : [`${name}: **invalid**, ${calls} calls failed: ${JSON.stringify(row.failures)}`]),
    ...(row.remarks ?? []).map((remark) => `${name}: ${remark}`),
  ];
}
