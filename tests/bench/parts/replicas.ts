import { measureScenario } from "../measure.ts";
import type { Bench, Part } from "../part.ts";
import type { Row } from "../report/results.ts";
import { EMPTY, type Scenario, type ScenarioLoad, VALUE } from "../scenarios.ts";
import { canStart, type ServiceSetup, startSetup } from "../setup.ts";

/** Divisible by up to four replicas, so that each has as many connections as the others. */
const LOAD: ScenarioLoad = { generator: "deno", shape: { connections: 12, streams: 10 } };
const KEYS = { count: 10_000, order: "cycle" } as const;

const SCENARIOS: readonly Scenario[] = [
  {
    name: "Get, L1 hit",
    preparation: "keys stored by the service",
    method: "Get",
    keys: KEYS,
    expectation: VALUE,
    loads: [LOAD],
  },
  { name: "Set", preparation: "nothing", method: "Set", keys: KEYS, expectation: EMPTY, loads: [LOAD] },
];

/** The cost of a call as replicas are added. */
export const replicas: Part = {
  name: "replicas",
  title: "As replicas are added",
  labels: ["calls", "replicas"],
  note:
    "The same load on all replicas together, which share one Redis, one MySQL and this machine's cores. With few " +
    "cores, calls/s cannot grow with the replicas; look at the cost of a call. A Set is also an invalidation for " +
    "every other replica.",
  measure,
};

async function* measure(bench: Bench): AsyncGenerator<Row> {
  for (const scenario of SCENARIOS) {
    for (const count of bench.effort.replicas) {
      const shared: ServiceSetup = { profile: "servers", localMemory: "on", replicas: count };
      if (!canStart(shared)) continue;
      await using setup = await startSetup(shared, bench);
      // Replicas that share the cores also compile their code in turn.
      const warmUpRounds = bench.effort.warmUpRounds === 0 ? 0 : count;
      for await (const { load: _, ...measured } of measureScenario(scenario, setup, bench, warmUpRounds)) {
        yield { labels: [scenario.name, String(count)], ...measured };
      }
    }
  }
}
