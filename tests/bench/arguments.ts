import { parseArgs } from "node:util";
import { type Effort, FULL, QUICK } from "./effort.ts";

/** The options of a run. */
export interface Options {
  readonly effort: Effort;
  /** The parts to run, by name; empty for all. */
  readonly only: readonly string[];
  /** The file that the JSON goes to. */
  readonly json: string;
  /** An earlier run's JSON. */
  readonly compare: string | undefined;
  /** Whether the report also goes into the documents. */
  readonly readme: boolean;
  readonly help: boolean;
}

/** Git ignores its folder. */
export const DEFAULT_JSON = "data/bench.json";

/** The options, or the error to print. `parts` are the names that `--only` accepts. */
export function parseArguments(args: readonly string[], parts: readonly string[]): Options | string {
  let values;
  try {
    values = parseArgs({
      args: [...args],
      options: {
        only: { type: "string", multiple: true, default: [] },
        runs: { type: "string" },
        quick: { type: "boolean", default: false },
        json: { type: "string", default: DEFAULT_JSON },
        compare: { type: "string" },
        readme: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
      strict: true,
    }).values;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const { runs, json, compare, readme, help } = values;
  const only = values.only.flatMap((names) => names.split(","));
  const unknown = only.find((name) => !parts.includes(name));
  if (unknown !== undefined) return `--only is ${unknown}, expected ${parts.join(", ")}`;
  if (runs !== undefined && !/^[1-9]\d{0,2}$/.test(runs)) {
    return `--runs is ${runs}, expected a whole number from 1 to 999`;
  }
  if (readme && (values.quick || only.length > 0)) {
    return "--readme takes a full run: no --quick, no --only";
  }
  const effort = values.quick ? QUICK : FULL;
  return {
    effort: runs === undefined ? effort : { ...effort, runs: Number(runs) },
    only,
    json,
    compare,
    readme,
    help,
  };
}
