/** The checker runs on a store that is correct by construction, and on one with a single wrong answer. */
import { assert, assertEquals } from "@std/assert";
import { seededRandom, withSeed } from "../../support/seeded_random.ts";
import type { Bounds } from "./bounds.ts";
import { checkHistory } from "./history_checker.ts";
import { MUTATIONS } from "./mutations.ts";
import { SIMULATED_LATE_MS, simulateHistory } from "./simulated_history.ts";

const HISTORIES = 200;

const STRICT: Bounds = {
  graceMs: { namespaced: { calm: 0, disturbed: 0 }, secret: { calm: 0, disturbed: 0 } },
  recoveryMs: 0,
  lingerMs: 0,
  lateMs: { namespaced: SIMULATED_LATE_MS, secret: Infinity },
};

Deno.test("checkHistory() accepts every history of a linearizable store", async () => {
  await withSeed((seed) => {
    for (let index = 0; index < HISTORIES; index++) {
      const violations = checkHistory(simulateHistory(seededRandom(seed + index)), STRICT);
      assertEquals(violations, [], `history ${seed} + ${index}`);
    }
    return Promise.resolve();
  });
});

for (const { name, apply } of MUTATIONS) {
  Deno.test(`checkHistory() finds one wrong answer among right ones: ${name}`, async () => {
    await withSeed((seed) => {
      let mutated = 0;
      for (let index = 0; index < HISTORIES; index++) {
        const wrong = apply(simulateHistory(seededRandom(seed + index)));
        if (wrong === undefined) continue;
        mutated++;
        const accused = checkHistory(wrong.history, STRICT).map(({ operations }) => operations[0]);
        assert(accused.includes(wrong.read), `history ${seed} + ${index} passes`);
      }
      assert(mutated > HISTORIES / 10, `only ${mutated} histories could be made wrong`);
      return Promise.resolve();
    });
  });
}
