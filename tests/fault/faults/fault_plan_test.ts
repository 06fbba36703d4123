import { assert, assertEquals } from "@std/assert";
import { seededRandom, withSeed } from "../../support/seeded_random.ts";
import { FAULT_KINDS } from "./fault_kinds.ts";
import { planFaults, type PlanOptions } from "./fault_plan.ts";

const OPTIONS: PlanOptions = { replicas: 3, lengthMs: 600_000, outbox: "absent" };

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
    for (const { things, startMs, endMs, recoveryMs } of planFaults(seededRandom(seed), OPTIONS)) {
      for (const thing of things) {
        assert((busyUntilMs.get(thing) ?? 0) <= startMs, `${thing} is broken twice at ${startMs} ms`);
        busyUntilMs.set(thing, endMs + recoveryMs);
      }
    }
    assert(busyUntilMs.size > 3);
    return Promise.resolve();
  });
});

for (const outbox of ["absent", "present"] as const) {
  Deno.test(`planFaults() uses every fault that an ${outbox} outbox allows`, async () => {
    await withSeed((seed) => {
      const names = planFaults(seededRandom(seed), { ...OPTIONS, outbox }).map(({ kind }) => kind.name);
      const allowed = FAULT_KINDS.filter(({ needsOutbox }) => outbox === "present" || !needsOutbox);
      assertEquals(new Set(names), new Set(allowed.map(({ name }) => name)));
      return Promise.resolve();
    });
  });
}
