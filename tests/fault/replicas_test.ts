/** Three replicas that are being broken, as their clients see them. `deno task check-history` does it for longer. */
import { findProgram } from "../support/find_program.ts";
import { printLine } from "../support/print_line.ts";
import { withSeed } from "../support/seeded_random.ts";
import { assert, assertEquals } from "@std/assert";
import { BOUNDS } from "./bounds.ts";
import { checkHistory } from "./checker/history_checker.ts";
import { reportViolations, summarize } from "./report.ts";
import { recordHistory, type RunOptions } from "./run.ts";
import type { Violation } from "./checker/violation.ts";

const LENGTH_MS = 60_000;

/** A service that is wrong shows it in every other run of this length, on a busy machine too. */
const WRONG_LENGTH_MS = 5_000;
const WRONG_RUNS = 12;

// The servers are the tests' own, since they kill them.
const ignore = findProgram("redis-server") === undefined || findProgram("mariadbd", "mysqld") === undefined;

Deno.test({
  name:
    "Three replicas keep every promise while they, Redis, MariaDB and the links are paused, killed and cut",
  ignore,
  fn: () =>
    withSeed(async (seed) => {
      const { violations, report } = await check({ seed, lengthMs: LENGTH_MS });
      assertEquals(violations.length, 0, report());
    }),
});

Deno.test({
  name: "checkHistory() finds out that the fences of local memory are switched off",
  ignore,
  fn: () =>
    withSeed(async (seed) => {
      for (let run = 0; run < WRONG_RUNS; run++) {
        const options = { seed: seed + run, lengthMs: WRONG_LENGTH_MS, main: "tests/fault/unfenced_main.ts" };
        if ((await check(options)).violations.length > 0) return;
      }
      assert(false, `${WRONG_RUNS} histories of a service without fences pass`);
    }),
});

async function check(options: RunOptions): Promise<{ violations: readonly Violation[]; report(): string }> {
  const history = await recordHistory(options);
  const violations = checkHistory(history, BOUNDS);
  printLine(`seed ${options.seed}: ${violations.length} violations, ${summarize(history)}`);
  return { violations, report: () => reportViolations(history, violations) };
}
