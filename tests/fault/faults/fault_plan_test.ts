import { assert, assertEquals, assertThrows } from "@std/assert";
import { seededRandom, withSeed } from "../../support/seeded_random.ts";
import { TOPOLOGIES } from "../cluster/cluster.ts";
import { kindsOf, planFaults, type PlanOptions } from "./fault_plan.ts";

const OPTIONS: PlanOptions = { replicas: 3, lengthMs: 1_200_000, topology: "one Redis" };

Deno.test("planFaults() plans the same faults for the same seed, within the run", async () => {
  await withSeed((seed) => {
    const planned = planFaults(seededRandom(seed), OPTIONS);
    assertEquals(planFaults(seededRandom(seed), OPTIONS), planned);
    assert(
      planned.every(({ startMs, endMs }) => 0 <= startMs && startMs <= endMs && endMs <= OPTIONS.lengthMs),
    );
    return Promise.resolve();
  });
});

Deno.test("planFaults() breaks no thing twice at once", async () => {
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

for (const topology of TOPOLOGIES) {
  Deno.test(`planFaults() uses every fault of the topology ${topology}`, async () => {
    await withSeed((seed) => {
      const options = { ...OPTIONS, topology };
      const names = planFaults(seededRandom(seed), options).map(({ kind }) => kind.name);
      assertEquals(new Set(names), new Set(kindsOf(options).map(({ name }) => name)));
      return Promise.resolve();
    });
  });
}

Deno.test("planFaults() plans no other fault for 3 s before and during a contained fault", async () => {
  await withSeed((seed) => {
    const planned = planFaults(seededRandom(seed), OPTIONS);
    const alone = planned.filter(({ kind }) => kind.isContained);
    assert(alone.length > 1);
    for (const { startMs, endMs } of alone) {
      const near = planned.filter((other) => other.startMs < endMs && startMs - 3_000 < other.endMs);
      assertEquals(near.length, 1, `${near.map(({ kind }) => kind.name)} at ${startMs} ms`);
    }
    return Promise.resolve();
  });
});

Deno.test("planFaults() refuses a name that no fault has", () => {
  assertThrows(() => planFaults(() => 0, { ...OPTIONS, only: "flood" }), TypeError, "flood");
});
