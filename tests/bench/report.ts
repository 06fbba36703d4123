import type { Machine } from "./machine.ts";
import type { Effort, Row } from "./measure.ts";
import type { MemoryUse } from "./memory.ts";
import { PAYLOAD_BYTES } from "./requests.ts";
import { summarize, type Summary } from "./statistics.ts";

/** Everything that a run has found out. */
export interface Results {
  readonly machine: Machine;
  readonly effort: Effort;
  readonly rows: readonly Row[];
  readonly memory: readonly MemoryUse[];
}

/** A row as one number each, for the table and for the JSON. */
interface SummarizedRow {
  readonly name: string;
  readonly setup: string;
  readonly generator: string;
  readonly connections: number;
  readonly streams: number;
  readonly callsPerSecond: Summary;
  readonly p50Ms: Summary;
  readonly p99Ms: Summary;
  /** Calls of all runs that were not answered as expected. */
  readonly failures: Readonly<Record<string, number>>;
  readonly complaints: readonly string[];
}

/** How many calls were not answered as expected, in all rows together. */
export function countFailures(rows: readonly Row[]): number {
  return rows.flatMap(({ runs }) => runs).reduce((total, run) => total + count(run.failures), 0);
}

/** The results as Markdown, to stand in the README. */
export function toMarkdown({ machine, effort, rows, memory }: Results): string {
  return [
    ...preface(machine, effort),
    "",
    "| calls | service | in flight | load by | calls/s | p50 ms | p99 ms |",
    "|---|---|---|---|---:|---:|---:|",
    ...rows.map(summarized).map(tableRow),
    "",
    ...rows.map(summarized).flatMap(remarks),
    "| L1 entries | key + value, bytes | resident MiB | counted MiB | counted / resident |",
    "|---:|---:|---:|---:|---:|",
    ...memory.map(memoryRow),
  ].join("\n");
}

/** The results for programs: what the Markdown says, and each run. */
export function toJson({ machine, effort, rows, memory }: Results): string {
  const measurements = rows.map((row) => ({ ...summarized(row), runs: row.runs }));
  return JSON.stringify({ machine, effort, measurements, memory }, null, 2) + "\n";
}

function preface(machine: Machine, { runs, measuredMs }: Effort): string[] {
  const { cpu, cores, memoryGiB, kernel, deno, redis, database, h2load, loadAverage, date } = machine;
  return [
    `Measured by \`deno task bench\` on ${date}: ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${kernel}; ` +
    `Deno ${deno}, Redis ${redis ?? "none"}, MySQL or MariaDB ${database ?? "none"}; ` +
    `load average ${loadAverage.toFixed(2)} before the start.`,
    "",
    `Each number is the median of ${runs} ${runs === 1 ? "run" : "runs"} of ${
      measuredMs / 1000
    } s, with the ` +
    `least and the most behind it. Values are ${PAYLOAD_BYTES} bytes in an Any. "8 x 16" is 8 connections with ` +
    "16 calls in flight on each. The load comes from " +
    `a client written for Deno that asks for a different key each time and checks the status of every answer` +
    `${h2load === undefined ? "" : `, or from h2load (${h2load}), which repeats one request`}.`,
    "",
    "What this does not show: it is one machine over loopback, so there is no network; the load generator, Redis " +
    "and the database run on the same cores as the service and take their part of them; the load is closed (a call " +
    "begins when another ends), so latencies under a fixed rate of arrivals differ; the database answers from its " +
    "own memory, and where it was started for this run it does not wait for the disk at each commit.",
  ];
}

function summarized({ scenario, load, runs, complaints }: Row): SummarizedRow {
  const failures: Record<string, number> = {};
  for (const [kind, times] of runs.flatMap((run) => Object.entries(run.failures))) {
    failures[kind] = (failures[kind] ?? 0) + times;
  }
  return {
    name: scenario.name,
    setup: scenario.setup,
    generator: load.generator,
    ...load.shape,
    callsPerSecond: summarize(runs.map((run) => run.callsPerSecond)),
    p50Ms: summarize(runs.map((run) => run.p50Ms)),
    p99Ms: summarize(runs.map((run) => run.p99Ms)),
    failures,
    complaints,
  };
}

function tableRow(row: SummarizedRow): string {
  const { name, setup, generator, connections, streams, callsPerSecond, p50Ms, p99Ms, failures } = row;
  const failed = count(failures);
  return `| ${
    [
      name + (failed === 0 ? "" : ` **(invalid: ${failed} calls failed)**`),
      setup,
      `${connections} x ${streams}`,
      generator,
      spread(callsPerSecond, (value) => Math.round(value).toLocaleString("en")),
      spread(p50Ms, (value) => value.toFixed(2)),
      spread(p99Ms, (value) => value.toFixed(2)),
    ].join(" | ")
  } |`;
}

function remarks({ name, setup, failures, complaints }: SummarizedRow): string[] {
  const texts = [
    ...Object.entries(failures).map(([kind, times]) => `${times} calls ended with ${kind}`),
    ...complaints.map((line) => `the service logged \`${line}\``),
  ];
  return texts.flatMap((text) => [`- ${name} (${setup}): ${text}`, ""]);
}

function memoryRow({ entries, keyBytes, valueBytes, residentBytes, accountedBytes }: MemoryUse): string {
  return `| ${
    [
      entries.toLocaleString("en"),
      `${keyBytes} + ${valueBytes}`,
      mebibytes(residentBytes),
      mebibytes(accountedBytes),
      (accountedBytes / residentBytes).toFixed(2),
    ].join(" | ")
  } |`;
}

function spread({ median, min, max }: Summary, format: (value: number) => string): string {
  return min === max ? format(median) : `${format(median)} (${format(min)}..${format(max)})`;
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}

function count(failures: Readonly<Record<string, number>>): number {
  return Object.values(failures).reduce((total, times) => total + times, 0);
}
