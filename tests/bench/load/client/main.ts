/** The load generator's process: takes a Load as JSON on its command line, prints a Measurement as JSON. */
import { printLine } from "../../../support/runner/print_line.ts";
import type { Load } from "../load.ts";
import { measureHere } from "./workload.ts";

printLine(JSON.stringify(await measureHere(JSON.parse(Deno.args[0]!) as Load)));
