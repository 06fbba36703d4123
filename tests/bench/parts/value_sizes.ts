import { EMPTY } from "../scenarios.ts";
import { Status } from "../../../src/transport/status.ts";
import { measureScenario } from "../measure.ts";
import type { Bench, Part } from "../part.ts";
import type { Figures, Row } from "../report/results.ts";
import type { Scenario, ScenarioLoad } from "../scenarios.ts";
import { canStart, type SetupName, SETUPS, startSetup } from "../setup.ts";

const LOAD: ScenarioLoad = { generator: "deno", shape: { connections: 4, streams: 4 } };
/** The most bytes of all values of a size: memory and Redis hold all of them. */
const MAX_TOTAL_BYTES = 32 * 2 ** 20;
const MAX_KEYS = 2_000;
const MEBIBYTE = 2 ** 20;

/** The three kinds of call that carry the value. */
const CALLS = [
  { name: "Get, L1 hit", method: "Get", setup: "servers" },
  { name: "Set", method: "Set", setup: "servers" },
  { name: "Get, Redis hit", method: "Get", setup: "servers, no L1" },
] as const satisfies readonly (Pick<Scenario, "name" | "method"> & { readonly setup: SetupName })[];

/** The cost of a call as its value grows. */
export const valueSizes: Part = {
  name: "value-sizes",
  title: "As values grow",
  labels: ["calls", "value bytes"],
  note: "4 x 4 calls in flight. MiB/s are of values.",
  measure,
};

async function* measure(bench: Bench): AsyncGenerator<Row> {
  for (const { setup: setupName, ...call } of CALLS) {
    if (!canStart(SETUPS[setupName])) continue;
    await using setup = await startSetup(SETUPS[setupName], bench);
    for (const [at, payloadBytes] of bench.effort.payloadBytes.entries()) {
      const warmUpRounds = at === 0 ? bench.effort.warmUpRounds : 0;
      const scenario = sized(call, payloadBytes);
      for await (
        const { load: _, figures, ...measured } of measureScenario(scenario, setup, bench, warmUpRounds)
      ) {
        const labels = [call.name, payloadBytes.toLocaleString("en")];
        yield { labels, figures: withThroughput(figures, payloadBytes), ...measured };
      }
    }
  }
}

function sized({ name, method }: Pick<Scenario, "name" | "method">, payloadBytes: number): Scenario {
  return {
    name: `${name} ${payloadBytes}`,
    preparation: method === "Get" ? "keys stored by the service" : "nothing",
    method,
    keys: { count: Math.min(MAX_KEYS, Math.floor(MAX_TOTAL_BYTES / payloadBytes)), order: "cycle" },
    expectation: method === "Get" ? { status: Status.OK, minMessageBytes: payloadBytes } : EMPTY,
    loads: [LOAD],
    payloadBytes,
  };
}

function withThroughput(figures: Figures, payloadBytes: number): Figures {
  const { median, min, max } = figures.callsPerSecond!;
  const perCall = payloadBytes / MEBIBYTE;
  return {
    ...figures,
    mebibytesPerSecond: { median: median * perCall, min: min * perCall, max: max * perCall },
  };
}
