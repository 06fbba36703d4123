import { complaintsOf, insertRows, Repeats } from "../measure.ts";
import type { Bench } from "../part.ts";
import type { Row } from "../report/results.ts";
import { EMPTY, type Scenario, type ScenarioLoad } from "../scenarios.ts";
import { allServers, type RunningSetup } from "../setup.ts";
import { type Contender, measurementsOf, sideBySide } from "../side_by_side.ts";
import { LoopProcess } from "./bare_loop.ts";
import type { SecretWriteOptions } from "./secret_write_loop.ts";

/** The most connections to MySQL that the service and the drivers open. */
export const CONNECTIONS = 10;

const MANY: ScenarioLoad = { generator: "deno", shape: { connections: 50, streams: 1 } };
const ONE: ScenarioLoad = { generator: "deno", shape: { connections: 1, streams: 1 } };

/** More than a measurement uses. */
const FRESH = 20_000;

interface SecretWrites extends Omit<Scenario, "loads"> {
  readonly method: "SetSecret" | "DelSecret";
  readonly load: ScenarioLoad;
}

const NEW = { preparation: "nothing", keys: { count: FRESH, order: "once" } } as const;
const EXISTING = { preparation: "rows inserted into MySQL", keys: { count: 2_000, order: "cycle" } } as const;
const HOT = { preparation: "rows inserted into MySQL", keys: { count: 1, order: "cycle" } } as const;
const DELETED = { preparation: "rows inserted into MySQL", keys: { count: FRESH, order: "once" } } as const;

const SET = { method: "SetSecret", expectation: EMPTY } as const;
const DELETE = { method: "DelSecret", expectation: EMPTY } as const;

/** What is measured, each by the service and by the drivers alone. */
const WRITES: readonly SecretWrites[] = [
  { name: "SetSecret, new, 50 in flight", ...SET, ...NEW, load: MANY },
  { name: "SetSecret, existing, 50 in flight", ...SET, ...EXISTING, load: MANY },
  { name: "SetSecret, one key, 50 in flight", ...SET, ...HOT, load: MANY },
  { name: "SetSecret, existing, 1 in flight", ...SET, ...EXISTING, load: ONE },
  { name: "DelSecret, 50 in flight", ...DELETE, ...DELETED, load: MANY },
  { name: "DelSecret, 1 in flight", ...DELETE, ...DELETED, load: ONE },
];

/** Changes of secrets through the service, beside plain drivers that give no guarantees. */
export async function* secretWriteRows(setup: RunningSetup, bench: Bench): AsyncGenerator<Row> {
  for (const writes of WRITES) yield* await rowsOf(writes, setup, bench);
}

async function rowsOf({ load, ...writes }: SecretWrites, setup: RunningSetup, bench: Bench): Promise<Row[]> {
  const scenario: Scenario = { ...writes, loads: [load] };
  const { warmUpMs, measuredMs, maxKeys } = bench.effort;
  const { method, keys: { count, order } } = scenario;
  const measurements = measurementsOf(bench.effort);
  const repeats = new Repeats(scenario, setup, bench);
  await repeats.prepare(measurements);
  const { config } = setup.database!;
  const group = `bare ${scenario.name}`;
  const keys = Math.min(count, maxKeys) * (order === "once" ? measurements : 1);
  if (writes.method === "DelSecret") {
    await insertRows({ method, group, first: 0, count: keys }, setup.database!);
  }
  const { redis, database } = setup.watched;
  const options: SecretWriteOptions = {
    ...allServers(),
    database: config.database,
    table: config.table,
    connections: CONNECTIONS,
    method: writes.method,
    group,
    keys,
    concurrency: load.shape.connections * load.shape.streams,
    warmUpMs,
    measuredMs,
    watched: { ...(redis && { redis }), ...(database && { database }) },
  };
  await using loop = LoopProcess.start("secret_write_loop.ts", options);
  const contenders: Contender[] = [
    { name: "this service", measure: () => repeats.measure(load), remarks: () => complaintsOf(setup) },
    { name: "bare mysql2, then ioredis", measure: () => loop.measure() },
  ];
  return await sideBySide(scenario.name, contenders, bench);
}
