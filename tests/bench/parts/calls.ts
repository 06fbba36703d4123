import { measureScenario, shapeText } from "../measure.ts";
import type { Bench, Part } from "../part.ts";
import type { Row } from "../report/results.ts";
import { SCENARIOS } from "../scenarios.ts";
import { canStart, type SetupName, SETUPS, startSetup } from "../setup.ts";

/** Every method, answered by every tier that can answer it. */
export const calls: Part = {
  name: "calls",
  title: "Every method, by the tier that answers it",
  labels: ["calls", "service", "in flight", "load by"],
  note:
    "Values are 100 bytes in an Any. `deno` is a client written for this benchmark. It requests 10,000 keys " +
    "(secrets: 2,000) in turn, gives each call a deadline of its own, as gRPC clients do, and checks the status of " +
    "every response. `h2load` repeats one request for one key without a deadline, so everything is in the " +
    "processor's caches. Writes return when every tier has them.",
  measure,
};

async function* measure(bench: Bench): AsyncGenerator<Row> {
  for (const name of Object.keys(SETUPS) as SetupName[]) {
    if (!canStart(SETUPS[name])) continue;
    await using setup = await startSetup(SETUPS[name], bench);
    for (const [at, scenario] of SCENARIOS.filter((each) => each.setup === name).entries()) {
      const warmUpRounds = at === 0 ? bench.effort.warmUpRounds : 0;
      for await (const { load, ...measured } of measureScenario(scenario, setup, bench, warmUpRounds)) {
        yield { labels: [scenario.name, name, shapeText(load), load.generator], ...measured };
      }
    }
  }
}
