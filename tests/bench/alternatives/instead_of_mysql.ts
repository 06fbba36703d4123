import { complaintsOf, insertRows, Repeats } from "../measure.ts";
import type { Bench } from "../part.ts";
import type { Row } from "../report/results.ts";
import { FRESH_ROWS, MAIN, type Scenario, SECRET } from "../scenarios.ts";
import { allServers, SETUPS, startSetup } from "../setup.ts";
import { LoopProcess } from "./bare_loop.ts";
import type { Mysql2Options } from "./mysql2_loop.ts";
import { measurementsOf, sideBySide } from "../side_by_side.ts";

const GETS: Scenario = {
  name: "alternatives to MySQL",
  preparation: "rows inserted into MySQL",
  method: "GetSecret",
  keys: FRESH_ROWS,
  expectation: SECRET,
  loads: [MAIN],
};

/** The most connections that the service opens. */
const CONNECTIONS = 10;
const LOOP_GROUP = "bare";

/** A GetSecret from MySQL through the service, beside a SELECT through the driver alone. */
export async function mysqlAlternatives(bench: Bench): Promise<Row[]> {
  const settings = { "data.database.max_connections": String(CONNECTIONS) } as const;
  await using setup = await startSetup({ ...SETUPS["servers, no L1"], settings }, bench);
  const { mysql } = allServers();
  const { warmUpMs, measuredMs, maxKeys } = bench.effort;
  const keys = Math.min(GETS.keys.count, maxKeys);
  await insertRows({ method: "GetSecret", group: LOOP_GROUP, first: 0, count: keys }, setup.database!);
  const repeats = new Repeats(GETS, setup, bench);
  await repeats.prepare(measurementsOf(bench.effort));
  const { database } = setup.watched;
  const options: Mysql2Options = {
    ...mysql,
    database: setup.database!.config.database,
    table: setup.database!.config.table,
    connections: CONNECTIONS,
    group: LOOP_GROUP,
    keys,
    concurrency: MAIN.shape.connections * MAIN.shape.streams,
    warmUpMs,
    measuredMs,
    watched: database === undefined ? {} : { database },
  };
  await using loop = LoopProcess.start("mysql2_loop.ts", options);
  return await sideBySide("GetSecret from MySQL", [
    {
      name: "this service (asks Redis, and copies into it)",
      measure: () => repeats.measure(MAIN),
      remarks: () => complaintsOf(setup),
    },
    { name: "bare mysql2, prepared", measure: () => loop.measure() },
  ], bench);
}
