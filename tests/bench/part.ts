import type { ServerPids } from "../support/servers/provide_servers.ts";
import type { Effort } from "./effort.ts";
import type { Row, Section } from "./report/results.ts";

/** What the parts of a run share. */
export interface Bench {
  readonly effort: Effort;
  /** The servers that run only for this benchmark, so that all their CPU time counts. */
  readonly serverPids: ServerPids;
  /** Shows what is being measured. */
  progress(text: string): void;
  /** Aborted when the user interrupts the run. */
  readonly signal: AbortSignal;
}

/** One part of the benchmark: a table of the report. A new part is a new file in the folder parts/. */
export interface Part extends Pick<Section, "title" | "labels" | "note"> {
  /** What `--only` calls it. */
  readonly name: string;
  /** The rows in the order of the report. */
  measure(bench: Bench): AsyncIterable<Row>;
}

/** Runs a part to its end. */
export async function runPart({ name, title, labels, note, measure }: Part, bench: Bench): Promise<Section> {
  const rows: Row[] = [];
  for await (const row of measure(bench)) {
    bench.signal.throwIfAborted();
    bench.progress(`${name}: ${row.labels.join(", ")}`);
    rows.push(row);
  }
  return { part: name, title, labels, note, rows };
}
