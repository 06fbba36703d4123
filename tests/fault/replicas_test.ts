/** Three replicas that are being broken, as their clients see them. `deno task check-history` does it for longer. */
import { findProgram } from "../support/find_program.ts";
import { printLine } from "../support/print_line.ts";
import { withSeed } from "../support/seeded_random.ts";
import { assertEquals } from "@std/assert";
import { checkHistory } from "./checker/history_checker.ts";
import { PROFILE } from "./profile.ts";
import { reportViolations, summarize } from "./report.ts";
import { recordHistory } from "./run.ts";

const LENGTH_MS = 20_000;

Deno.test({
  name:
    "Three replicas keep every promise while they, Redis, MariaDB and the links are paused, killed and cut",
  // The servers are the test's own, since it kills them.
  ignore: findProgram("redis-server") === undefined || findProgram("mariadbd", "mysqld") === undefined,
  fn: () =>
    withSeed(async (seed) => {
      const history = await recordHistory({ profile: PROFILE, seed, lengthMs: LENGTH_MS });
      const violations = checkHistory(history, PROFILE.bounds);
      printLine(`seed ${seed}: ${summarize(history)}`);
      assertEquals(violations.length, 0, reportViolations(history, violations));
    }),
});
