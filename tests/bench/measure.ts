import { Status } from "../../src/transport/status.ts";
import type { TestDatabase } from "../support/mysql_database.ts";
import type { Load, Measurement } from "./load.ts";
import { measureWithDeno } from "./load_deno.ts";
import { findH2load, measureWithH2load } from "./load_h2load.ts";
import { type RequestRange, secretKey } from "./requests.ts";
import type { Generator, Scenario, ScenarioLoad } from "./scenarios.ts";
import type { RunningSetup } from "./setup.ts";

/** How much is measured. */
export interface Effort {
  readonly runs: number;
  readonly warmUpMs: number;
  readonly measuredMs: number;
  /** The most keys of a scenario; fewer take less time to prepare. */
  readonly maxKeys: number;
}

/** One load of a scenario, measured. */
export interface Row {
  readonly scenario: Scenario;
  readonly load: ScenarioLoad;
  readonly runs: readonly Measurement[];
  /** What the service has logged as warnings and errors meanwhile. */
  readonly complaints: readonly string[];
}

/** Long enough for any preparation to end by itself. */
const PREPARATION_MS = 600_000;
const ROWS_A_STATEMENT = 1_000;

/** Measures a scenario under each of its loads, but for those whose generator is not installed. */
export async function* measureScenario(
  scenario: Scenario,
  setup: RunningSetup,
  effort: Effort,
): AsyncGenerator<Row> {
  const count = Math.min(scenario.keys.count, effort.maxKeys);
  const { method, keys: { order }, expectation } = scenario;
  let turn = 0;
  for (const load of scenario.loads) {
    if (load.generator === "h2load" && findH2load() === undefined) continue;
    const runs: Measurement[] = [];
    for (let run = 0; run < effort.runs; run++, turn++) {
      const first = order === "once" ? turn * count : 0;
      const requests: RequestRange = { method, group: groupOf(scenario), first, count };
      if (turn === 0 || order === "once") await prepare(scenario, requests, setup);
      const { warmUpMs, measuredMs } = effort;
      const { address } = setup;
      runs.push(
        await measure(load.generator, {
          address,
          shape: load.shape,
          requests,
          order,
          expectation,
          warmUpMs,
          measuredMs,
        }),
      );
    }
    yield { scenario, load, runs, complaints: setup.takeComplaints() };
  }
}

/** What no other scenario of the same service stores under. */
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
  { address, database }: RunningSetup,
): Promise<void> {
  switch (scenario.preparation) {
    case "nothing":
      return;
    case "keys stored by the service":
      return await storeKeys(range, address);
    case "rows inserted into MySQL":
      return await insertRows(range, database!);
  }
}

/** Stores what the requests of a range will ask for. */
export async function storeKeys(range: RequestRange, address: Load["address"]): Promise<void> {
  const method = range.method === "GetSecret" ? "SetSecret" : "Set";
  const { calls, failures } = await measureWithDeno({
    address,
    shape: { connections: 4, streams: 16 },
    requests: { ...range, method },
    order: "once",
    expectation: { status: Status.OK, minMessageBytes: 0 },
    warmUpMs: 0,
    measuredMs: PREPARATION_MS,
  });
  if (calls !== range.count) {
    throw new Error(
      `Cannot store ${range.count} keys with ${method}: ${JSON.stringify({ calls, failures })}`,
    );
  }
}

/** Writes secrets past the service, as another program that shares the table does: Redis never hears of them. */
async function insertRows({ group, first, count }: RequestRange, database: TestDatabase): Promise<void> {
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
