/** Three replicas under faults, by what their clients see. `deno task check-history` runs this for longer. */
import { findProgram } from "../support/servers/find_program.ts";
import { printLine } from "../support/runner/print_line.ts";
import { withSeed } from "../support/seeded_random.ts";
import { assert, assertEquals } from "@std/assert";
import { BOUNDS } from "./bounds.ts";
import { TOPOLOGIES } from "./cluster/cluster.ts";
import { checkHistory } from "./checker/history_checker.ts";
import { reportViolations, summarize } from "./report.ts";
import { recordHistory, type RunOptions } from "./run.ts";
import type { Violation } from "./checker/violation.ts";

const LENGTH_MS = 30_000;

// These tests kill servers, so they start their own.
const ignore = findProgram("redis-server") === undefined || findProgram("mariadbd", "mysqld") === undefined;

for (const topology of TOPOLOGIES) {
  Deno.test({
    name:
      `Three replicas over ${topology} keep every guarantee while their servers are paused, killed and cut off`,
    ignore,
    fn: () =>
      withSeed(async (seed) => {
        const { violations, report } = await check({ seed, lengthMs: LENGTH_MS, topology });
        assertEquals(violations.length, 0, report());
      }),
  });
}

/** A service with a known mistake, and the runs that find it even on a busy machine. */
interface WrongService extends Omit<RunOptions, "seed"> {
  readonly runs: number;
}

const WRONG_SERVICES: Readonly<Record<string, WrongService>> = {
  "fills local memory without fences": {
    main: "tests/fault/wrong_services/unfenced_main.ts",
    topology: "one Redis",
    runs: 12,
    lengthMs: 5_000,
  },
  "lets Redis execute changes after their deadline": {
    main: "tests/fault/wrong_services/undated_main.ts",
    topology: "one Redis",
    only: "900 ms",
    runs: 6,
    lengthMs: 10_000,
  },
  "trusts every Redis of any epoch": {
    main: "tests/fault/wrong_services/one_epoch_main.ts",
    topology: "two under sentinels",
    only: "two masters",
    runs: 6,
    lengthMs: 10_000,
  },
};

for (const [what, { runs, ...options }] of Object.entries(WRONG_SERVICES)) {
  Deno.test({
    name: `checkHistory() finds violations of a service that ${what}`,
    ignore,
    fn: () =>
      withSeed(async (seed) => {
        for (let run = 0; run < runs; run++) {
          if ((await check({ seed: seed + run, ...options })).violations.length > 0) return;
        }
        assert(false, `${runs} histories passed of a service that ${what}`);
      }),
  });
}

async function check(options: RunOptions): Promise<{ violations: readonly Violation[]; report(): string }> {
  const history = await recordHistory(options);
  const violations = checkHistory(history, BOUNDS);
  printLine(`seed ${options.seed}: ${violations.length} violations, ${summarize(history)}`);
  return { violations, report: () => reportViolations(history, violations) };
}
