/** The names by which an operator reaches the program, as far as the packaging uses them. */
import { readOverrides } from "../../src/config/sources/override_source.ts";

/** The commands that `cacheserver help` lists. */
export function knownCommands(help: string): readonly string[] {
  const [, list = ""] = /^Commands:\n(.*?)\n\n/ms.exec(help) ?? [];
  return [...list.matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name!);
}

/** Those of these variables that the program would refuse, as it would any CACHESERVER_ name that it does not know. */
export function unknownVariables(names: Iterable<string>): readonly string[] {
  const environment = { get: () => undefined, names: () => names };
  return readOverrides(environment, new Map()).problems.map(({ path }) => path);
}
