import { Status } from "../../src/transport/status.ts";
import type { TestDatabase } from "../support/mysql/database.ts";
import { measureHere } from "./load/client/workload.ts";
import { measureWithDeno } from "./load/deno.ts";
import { findH2load, measureWithH2load } from "./load/h2load.ts";
import type { Load, Measurement } from "./load/load.ts";
import { type RequestRange, secretKey } from "./load/requests.ts";
import type { Bench } from "./part.ts";
import { TICK_MS } from "./process_figures.ts";
import type { Figures, Row } from "./report/results.ts";
import type { Metric } from "./report/metrics.ts";
import { summarize, type Summary } from "./report/statistics.ts";
import type { Generator, Scenario, ScenarioLoad } from "./scenarios.ts";
import type { RunningSetup } from "./setup.ts";

/** One load of a scenario, measured. */
export interface MeasuredLoad extends Required<Pick<Row, "figures" | "cpuStepUs" | "failures" | "remarks">> {
  readonly load: ScenarioLoad;
}

/** Long enough for any preparation to end by itself. */
const PREPARATION_MS = 600_000;
/** Many calls at once: SQLite commits them together and waits for the disk once. */
const PREPARATION_SHAPE = { connections: 8, streams: 64 } as const;
const ROWS_A_STATEMENT = 1_000;
/** SQLite writes nothing for a row that does not change, so each Set writes another value than the one before. */
const SET_VALUES = 2;

/**
 * Measures a scenario under each of its loads, except those whose generator is not installed. First takes `warmUpRounds`
 * measurements under the first load and discards them, for a service that has just been started.
 */
export async function* measureScenario(
  scenario: Scenario,
  setup: RunningSetup,
  bench: Bench,
  warmUpRounds = 0,
): AsyncGenerator<MeasuredLoad> {
  const repeats = new Repeats(scenario, setup, bench);
  const loads = scenario.loads.filter(({ generator }) => generator === "deno" || findH2load() !== undefined);
  for (let round = 0; round < warmUpRounds; round++) {
    bench.signal.throwIfAborted();
    await repeats.measure(loads[0]!);
  }
  for (const load of loads) {
    const runs: Measurement[] = [];
    for (let run = 0; run < bench.effort.runs; run++) {
      bench.signal.throwIfAborted();
      runs.push(await repeats.measure(load));
    }
    yield measuredLoad(load, runs, setup);
  }
}

/** Measures a scenario repeatedly, for parts that measure something else in between. */
export class Repeats {
  readonly #scenario: Scenario;
  readonly #setup: RunningSetup;
  readonly #bench: Bench;
  readonly #count: number;
  #turn = 0;
  /** How many measurements have their keys prepared. */
  #prepared = 0;

  constructor(scenario: Scenario, setup: RunningSetup, bench: Bench) {
    this.#scenario = scenario;
    this.#setup = setup;
    this.#bench = bench;
    this.#count = Math.min(scenario.keys.count, bench.effort.maxKeys);
  }

  /** The keys of the next measurement. */
  get range(): RequestRange {
    return this.#rangeOf(this.#turn);
  }

  /** Prepares the keys of this many measurements; those of further ones are prepared before each. */
  async prepare(measurements: number): Promise<void> {
    const ranges = this.#scenario.keys.order === "once" ? measurements : 1;
    for (; this.#prepared < ranges; this.#prepared++) {
      this.#bench.signal.throwIfAborted();
      await prepare(this.#scenario, this.#rangeOf(this.#prepared), this.#setup);
    }
  }

  /** Prepares the keys, if that has not been done, and measures once. */
  async measure({ generator, shape }: ScenarioLoad): Promise<Measurement> {
    const { keys: { order }, expectation } = this.#scenario;
    const { addresses, watched } = this.#setup;
    const { warmUpMs, measuredMs } = this.#bench.effort;
    const requests = this.range;
    await this.prepare(++this.#turn);
    const load = { addresses, shape, requests, order, expectation, warmUpMs, measuredMs, watched };
    return await measure(generator, load);
  }

  #rangeOf(turn: number): RequestRange {
    const { method, payloadBytes, keys: { order } } = this.#scenario;
    return {
      method,
      group: groupOf(this.#scenario),
      first: order === "once" ? turn * this.#count : 0,
      count: this.#count,
      ...(payloadBytes !== undefined && { payloadBytes }),
      ...(method === "Set" && order === "cycle" && { values: SET_VALUES }),
    };
  }
}

/** The summary of several repeats of a load, with the warnings and errors that the service logged meanwhile. */
export function measuredLoad(
  load: ScenarioLoad,
  runs: readonly Measurement[],
  setup: RunningSetup,
): MeasuredLoad {
  return {
    load,
    figures: figuresOf(runs),
    cpuStepUs: cpuStepUs(runs),
    failures: totalFailures(runs),
    remarks: complaintsOf(setup),
  };
}

/** A remark for each warning and error that a service has logged since the last call. */
export function complaintsOf(setup: RunningSetup): string[] {
  return setup.takeComplaints().map((line) => `the service logged \`${line}\``);
}

/** Calls of all repeats that were not answered as expected. */
export function totalFailures(runs: readonly RunMeasurement[]): Record<string, number> {
  const failures: Record<string, number> = {};
  for (const [kind, times] of runs.flatMap((run) => Object.entries(run.failures))) {
    failures[kind] = (failures[kind] ?? 0) + times;
  }
  return failures;
}

/** One repeat; not every tool reports every percentile. */
export type RunMeasurement = Omit<Measurement, "p999Ms"> & Partial<Pick<Measurement, "p999Ms">>;

/** The figures that all repeats have. */
export function figuresOf(runs: readonly RunMeasurement[]): Figures {
  const values: readonly (readonly [Metric, readonly (number | undefined)[]])[] = [
    ["callsPerSecond", runs.map((run) => run.callsPerSecond)],
    ["p50Ms", runs.map((run) => run.p50Ms)],
    ["p99Ms", runs.map((run) => run.p99Ms)],
    ["p999Ms", runs.map((run) => run.p999Ms)],
    ["serviceCpuUs", runs.map(({ cpuUs }) => cpuUs.service)],
    ["redisCpuUs", runs.map(({ cpuUs }) => cpuUs.redis)],
    ["databaseCpuUs", runs.map(({ cpuUs }) => cpuUs.database)],
  ];
  const figures: Partial<Record<Metric, Summary>> = {};
  for (const [metric, all] of values) {
    const known = all.filter((value) => value !== undefined);
    if (known.length === runs.length) figures[metric] = summarize(known);
  }
  return figures;
}

/** One step of the CPU clock, in µs a call of the repeat with the fewest calls; Infinity without calls. */
export function cpuStepUs(runs: readonly Pick<Measurement, "calls">[]): number {
  return TICK_MS * 1000 / Math.min(...runs.map(({ calls }) => calls));
}

/** A load's name in a row. */
export function shapeText({ shape: { connections, streams } }: ScenarioLoad): string {
  return `${connections} x ${streams}`;
}

/** A namespace or key prefix that no other scenario of the same service uses. */
function groupOf({ name }: Scenario): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
}

async function measure(generator: Generator, load: Load): Promise<Measurement> {
  switch (generator) {
    case "deno":
      return await measureWithDeno(load);
    case "h2load":
      return await measureWithH2load(findH2load()!, load);
  }
}

async function prepare(
  scenario: Scenario,
  range: RequestRange,
  { addresses, database }: RunningSetup,
): Promise<void> {
  switch (scenario.preparation) {
    case "nothing":
      return;
    case "keys stored by the service":
      await storeKeys(range, addresses);
      // Reading through local memory fills it.
      if (range.method === "Get") await readKeys(range, addresses);
      return;
    case "rows inserted into MySQL":
      return await insertRows(range, database!);
  }
}

/** Stores the entries or secrets that the requests of a range read. */
export async function storeKeys(range: RequestRange, addresses: Load["addresses"]): Promise<void> {
  const method = range.method.endsWith("Secret") ? "SetSecret" : "Set";
  await callOnce({ ...range, method, values: 1 }, addresses);
}

/** Reads every key of a range once on every replica. */
async function readKeys(range: RequestRange, addresses: Load["addresses"]): Promise<void> {
  for (const address of addresses) await callOnce(range, [address]);
}

/** Makes each call of a range once, from this process; throws unless all succeed. */
async function callOnce(requests: RequestRange, addresses: Load["addresses"]): Promise<void> {
  const { calls, failures } = await measureHere({
    addresses,
    shape: PREPARATION_SHAPE,
    requests,
    order: "once",
    expectation: { status: Status.OK, minMessageBytes: 0 },
    warmUpMs: 0,
    measuredMs: PREPARATION_MS,
    watched: {},
  });
  if (calls === requests.count) return;
  const got = JSON.stringify({ calls, failures });
  throw new Error(`Cannot call ${requests.method} for ${requests.count} keys: ${got}`);
}

/** Inserts secrets directly, as another program that shares the table does: Redis does not get them. */
export async function insertRows(
  { group, first, count }: RequestRange,
  database: TestDatabase,
): Promise<void> {
  for (let done = 0; done < count; done += ROWS_A_STATEMENT) {
    const length = Math.min(ROWS_A_STATEMENT, count - done);
    const keys = Array.from({ length }, (_, index) => secretKey(group, first + done + index));
    await database.run(
      `INSERT INTO ${database.config.table} (secretID, secretKey, name) VALUES ` +
        keys.map(() => "(?, UUID(), 'service')").join(", "),
      keys,
    );
  }
}
