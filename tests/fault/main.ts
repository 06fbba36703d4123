/**
 * Records and checks histories, one a seed: `deno task check-history --seconds 60 --seeds 20`, or `--seed 7` to repeat
 * one that failed. `--topology "one Redis"` or `"two under sentinels"` replaces the seed's choice; `--only TEXT` runs
 * only faults whose names contain the text; `--main FILE` runs another program. Ends with `N passed, N failed`; the exit
 * code is 1 unless all passed, 2 for wrong usage.
 */
import { parseArgs } from "node:util";
import { printLine } from "../support/runner/print_line.ts";
import { BOUNDS } from "./bounds.ts";
import { checkHistory } from "./checker/history_checker.ts";
import { reportViolations, summarize } from "./report.ts";
import { TOPOLOGIES, type Topology } from "./cluster/cluster.ts";
import { recordHistory } from "./run.ts";

interface Options {
  readonly seconds: number;
  readonly seeds: number;
  readonly firstSeed: number;
  readonly topology: Topology | undefined;
  readonly only: string | undefined;
  readonly main: string | undefined;
}

/** Resolves to the exit code. */
async function main(args: readonly string[]): Promise<number> {
  let options: Options;
  try {
    options = parse(args);
  } catch (error) {
    printLine(error instanceof Error ? error.message : String(error));
    return 2;
  }
  const { seconds, seeds, firstSeed, main, ...chosen } = options;
  let passed = 0;
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const history = await recordHistory({ seed, lengthMs: seconds * 1000, ...(main && { main }), ...chosen });
    const violations = checkHistory(history, BOUNDS);
    printLine(`seed ${seed}: ${violations.length} violations, ${summarize(history)}`);
    if (violations.length === 0) passed++;
    else printLine(reportViolations(history, violations));
  }
  printLine(`${passed} passed, ${seeds - passed} failed`);
  return passed === seeds ? 0 : 1;
}

function parse(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: "string", default: "60" },
      seeds: { type: "string", default: "1" },
      seed: { type: "string", default: String(crypto.getRandomValues(new Uint32Array(1))[0]) },
      topology: { type: "string" },
      only: { type: "string" },
      main: { type: "string" },
    },
  });
  return {
    seconds: wholeNumber("seconds", values.seconds),
    seeds: wholeNumber("seeds", values.seeds),
    firstSeed: wholeNumber("seed", values.seed),
    topology: topologyOf(values.topology),
    only: values.only,
    main: values.main,
  };
}

function topologyOf(text: string | undefined): Topology | undefined {
  const found = TOPOLOGIES.find((topology) => topology === text);
  if (text === undefined || found !== undefined) return found;
  throw new TypeError(`--topology is ${text}, expected ${TOPOLOGIES.join(" or ")}`);
}

function wholeNumber(name: string, text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new TypeError(`--${name} is ${text}, expected a whole number`);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
