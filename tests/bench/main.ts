/**
 * Measures the whole service, in a process of its own and over real sockets, and prints Markdown:
 *
 *     deno task bench [--runs N] [--quick] [--json FILE]
 *
 * Redis and MariaDB come from where the tests get theirs. Exit code 1 if any call was not answered as expected, 2
 * if the arguments are wrong.
 */
import { parseArgs } from "node:util";
import { printLine } from "../support/print_line.ts";
import { provideServers } from "../support/provide_servers.ts";
import { describeMachine } from "./machine.ts";
import { type Effort, measureScenario, type Row } from "./measure.ts";
import { measureMemory, type MemoryUse } from "./memory.ts";
import { countFailures, toJson, toMarkdown } from "./report.ts";
import { SCENARIOS, type SetupName, SETUPS } from "./scenarios.ts";
import { canStart, startSetup } from "./setup.ts";

const FULL: Effort = { runs: 3, warmUpMs: 500, measuredMs: 2_000, maxKeys: Infinity };
/** To see that it works; its numbers say little. */
const QUICK: Effort = { runs: 1, warmUpMs: 50, measuredMs: 150, maxKeys: 1_000 };

/** The second is where an entry takes most: the map has just doubled. */
const MEMORY_ENTRIES = [100_000, 150_000, 1_000_000];
const QUICK_MEMORY_ENTRIES = [100_000];

/** Resolves to the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const options = parseArguments(args);
  if (typeof options === "string") {
    report(`deno task bench: ${options}`);
    return 2;
  }
  const { runs, quick, json } = options;
  const effort = { ...(quick ? QUICK : FULL), ...(runs !== undefined && { runs }) };
  const interruption = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => interruption.abort(new Error(`Interrupted by ${signal}`)));
  }

  await using servers = await provideServers();
  for (const [name, value] of Object.entries(servers.variables)) Deno.env.set(name, value);
  const machine = await describeMachine();
  const rows = await measureAll(effort, interruption.signal);
  const memory: MemoryUse[] = [];
  for (const entries of quick ? QUICK_MEMORY_ENTRIES : MEMORY_ENTRIES) {
    report(`memory of ${entries} entries`);
    memory.push(await measureMemory(entries));
  }

  const results = { machine, effort, rows, memory };
  printLine(toMarkdown(results));
  if (json !== undefined) await Deno.writeTextFile(json, toJson(results));
  for (const complaint of servers.complaints) report(complaint);
  return countFailures(rows) === 0 ? 0 : 1;
}

async function measureAll(effort: Effort, signal: AbortSignal): Promise<Row[]> {
  const rows: Row[] = [];
  for (const name of Object.keys(SETUPS) as SetupName[]) {
    if (!canStart(name)) continue;
    await using setup = await startSetup(name);
    for (const scenario of SCENARIOS.filter((each) => each.setup === name)) {
      signal.throwIfAborted();
      report(`${name}: ${scenario.name}`);
      for await (const row of measureScenario(scenario, setup, effort)) rows.push(row);
    }
  }
  return rows;
}

interface Options {
  /** Undefined: as many as the effort says. */
  readonly runs: number | undefined;
  readonly quick: boolean;
  /** The file for the JSON. */
  readonly json: string | undefined;
}

/** The options, or what is wrong with them. */
function parseArguments(args: readonly string[]): Options | string {
  try {
    const { runs, quick = false, json } = parseArgs({
      args: [...args],
      options: { runs: { type: "string" }, quick: { type: "boolean" }, json: { type: "string" } },
      strict: true,
    }).values;
    if (runs === undefined) return { runs, quick, json };
    if (!/^[1-9]\d{0,2}$/.test(runs)) return `--runs is ${runs}, expected a whole number from 1 to 999`;
    return { runs: Number(runs), quick, json };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Progress goes to standard error, so that standard output is the table alone. */
function report(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
}

if (import.meta.main) Deno.exit(await main(Deno.args));
