import { complaintsOf, Repeats, shapeText } from "../measure.ts";
import { findH2load } from "../load/h2load.ts";
import type { Bench, Part } from "../part.ts";
import type { Row } from "../report/results.ts";
import { type Generator, type ScenarioLoad, storedGets } from "../scenarios.ts";
import { type Contender, sideBySide } from "../side_by_side.ts";
import { startSetup } from "../setup.ts";

/** The default first; the other is compared with it. */
const TRANSPORTS = ["native", "grpc_js"] as const;
const SHAPES = [{ connections: 8, streams: 16 }, { connections: 50, streams: 1 }] as const;

const GETS = storedGets("transports", 1_000);

/** The implementations of gRPC, under the same calls in turn. */
export const transports: Part = {
  name: "transports",
  title: "The two transports",
  labels: ["in flight", "server.grpc.transport"],
  note:
    "Gets of keys in local memory through the whole service, on each transport in turn. Service / this is " +
    "the calls/s of the default, `native`, by those of the row.",
  measure,
};

async function* measure(bench: Bench): AsyncGenerator<Row> {
  const generator: Generator = findH2load() === undefined ? "deno" : "h2load";
  await using resources = new AsyncDisposableStack();
  const services = [];
  for (const transport of TRANSPORTS) {
    const settings = { "server.grpc.transport": transport };
    const setup = await startSetup({ profile: "embedded", localMemory: "on", settings }, bench);
    resources.use(setup);
    services.push({ transport, setup, repeats: new Repeats(GETS, setup, bench) });
  }
  const warm: Bench = { ...bench, effort: { ...bench.effort, warmUpRounds: 0 } };
  for (const [at, shape] of SHAPES.entries()) {
    const load: ScenarioLoad = { generator, shape };
    const contenders = services.map(({ transport, setup, repeats }): Contender => ({
      name: transport,
      measure: () => repeats.measure(load),
      remarks: () => complaintsOf(setup),
    }));
    yield* await sideBySide(`${shapeText(load)} by ${generator}`, contenders, at === 0 ? bench : warm);
  }
}
