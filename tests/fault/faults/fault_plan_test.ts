import { assert, assertEquals } from "@std/assert";
import { seededRandom, withSeed } from "../../support/seeded_random.ts";
import { FAULT_KINDS } from "./fault_kinds.ts";
import { planFaults, type PlanOptions } from "./fault_plan.ts";

const OPTIONS: PlanOptions = { replicas: 3, lengthMs: 600_000 };

Deno.test("planFaults() plans the same for the same seed, and within the run", async () => {
  await withSeed((seed) => {
    const planned = planFaults(seededRandom(seed), OPTIONS);
    assertEquals(planFaults(seededRandom(seed), OPTIONS), planned);
    assert(planned.every(({ startMs, endMs }) => 0 <= startMs && startMs <= endMs && endMs <= 600_000));
    return Promise.resolve();
  });
});

Deno.test("planFaults() does no two things to one thing at once", async () => {
  await withSeed((seed) => {
    const busyUntilMs = new Map<string, number>();
    for (const { things, startMs, endMs } of planFaults(seededRandom(seed), OPTIONS)) {
      for (const thing of things) {
        assert((busyUntilMs.get(thing) ?? 0) <= startMs, `${thing} is broken twice at ${startMs} ms`);
        busyUntilMs.set(thing, endMs);
      }
    }
    assert(busyUntilMs.size > 3);
    return Promise.resolve();
  });
});

Deno.test("planFaults() uses every fault there is", async () => {
  await withSeed((seed) => {
    const names = planFaults(seededRandom(seed), OPTIONS).map(({ kind }) => kind.name);
    assertEquals(new Set(names), new Set(FAULT_KINDS.map(({ name }) => name)));
    return Promise.resolve();
  });
});
