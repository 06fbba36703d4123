import { measureWithDeno } from "../load/deno.ts";
import { pathOf } from "../load/requests.ts";
import { complaintsOf, Repeats } from "../measure.ts";
import type { Bench } from "../part.ts";
import type { Row } from "../report/results.ts";
import { MAIN, storedGets } from "../scenarios.ts";
import { SETUPS, startSetup } from "../setup.ts";
import { startGrpcJsServer } from "./grpc_js_on_node.ts";
import { type Contender, sideBySide } from "../side_by_side.ts";

const GETS = storedGets("alternatives to memory", 10_000);

/** An Any of 100 bytes with its type, as the service answers it. */
const RESPONSE_BYTES = 152;

/** A Get from local memory, beside a Get from a Map by grpc-js on Node.js. */
export async function memoryAlternatives(bench: Bench): Promise<Row[]> {
  await using setup = await startSetup(SETUPS.embedded, bench);
  await using server = await startGrpcJsServer({ path: pathOf("Get"), responseBytes: RESPONSE_BYTES });
  const repeats = new Repeats(GETS, setup, bench);
  const contenders: Contender[] = [{
    name: "this service",
    measure: () => repeats.measure(MAIN),
    remarks: () => complaintsOf(setup),
  }];
  if (server === undefined) bench.progress("SKIPPED: grpc-js on Node.js, because node is not on the PATH");
  else {
    const { warmUpMs, measuredMs } = bench.effort;
    const { expectation, keys: { order } } = GETS;
    contenders.push({
      name: "grpc-js on Node.js with a Map",
      measure: () =>
        measureWithDeno({
          addresses: [server.address],
          shape: MAIN.shape,
          requests: repeats.range,
          order,
          expectation,
          warmUpMs,
          measuredMs,
          watched: { service: [server.pid] },
        }),
    });
  }
  return await sideBySide("Get from memory", contenders, bench);
}
