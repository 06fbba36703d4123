import manifest from "../../deno.json" with { type: "json" };
import { expectNoArguments } from "./arguments.ts";
import { printLine } from "./print.ts";

/** What a compiled program is made of; src/build/compile.ts writes it. */
const COMMIT = new URL("../../dist/build/commit", import.meta.url);

/** Prints the version of the program and of what runs it. */
export function version(args: readonly string[]): void {
  expectNoArguments("version", args);
  const commit = Deno.build.standalone ? `commit ${Deno.readTextFileSync(COMMIT)}, ` : "";
  printLine(`cacheserver ${manifest.version} (${commit}deno ${Deno.version.deno}, ${Deno.build.target})`);
}
