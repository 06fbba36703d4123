import manifest from "../../deno.json" with { type: "json" };
import { expectNoArguments } from "./arguments.ts";
import { printLine } from "./print.ts";

/** Prints the version of the program and of what runs it. */
export function version(args: readonly string[]): void {
  expectNoArguments("version", args);
  printLine(`cacheserver ${manifest.version} (deno ${Deno.version.deno}, ${Deno.build.target})`);
}
