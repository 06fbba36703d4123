import { expectNoArguments } from "./arguments.ts";
import { thisBuild } from "./build.ts";
import { printLine } from "./print.ts";

/** Prints the versions of the program and of its runtime. */
export function version(args: readonly string[]): void {
  expectNoArguments("version", args);
  const { version, commit, deno } = thisBuild();
  const built = commit === undefined ? "" : `commit ${commit}, `;
  printLine(`cacheserver ${version} (${built}deno ${deno}, ${Deno.build.target})`);
}
