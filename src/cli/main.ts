import { ConfigError } from "../config/config_error.ts";
import { commandIndex, UsageError } from "./arguments.ts";
import { check } from "./check.ts";
import { health } from "./health.ts";
import { help } from "./help.ts";
import { migrate } from "./migrate.ts";
import { printError } from "./print.ts";
import { serve } from "./serve.ts";
import { version } from "./version.ts";

const COMMANDS: Readonly<Record<string, (args: readonly string[]) => void | Promise<void>>> = {
  serve,
  check,
  migrate,
  health,
  version,
  help,
  "--help": help,
  "-h": help,
  "--version": version,
};

/** Runs the command; resolves to the exit code: 0 done, 1 failed, 2 wrong usage or configuration. */
export async function main(args: readonly string[]): Promise<number> {
  const at = commandIndex(args, Object.keys(COMMANDS));
  const rest = args.toSpliced(at, at === -1 ? 0 : 1);
  const [first = ""] = rest;
  try {
    if (rest.includes("--help") || rest.includes("-h")) help([]);
    else if (at !== -1) await COMMANDS[args[at]!]!(rest);
    else if (first === "" || first.startsWith("-")) await serve(args);
    else throw new UsageError(`${JSON.stringify(first)} is not a command; see cacheserver help`);
    return 0;
  } catch (error) {
    if (error instanceof UsageError || error instanceof ConfigError) {
      for (const line of error.message.split("\n")) printError(`cacheserver: ${line}`);
      return 2;
    }
    printError(`cacheserver: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}
