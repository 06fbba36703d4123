/** The commands and variables of the program that the packaging uses. */
import { readOverrides } from "../../src/config/sources/override_source.ts";

/** The commands that `cacheserver help` lists. */
export function knownCommands(help: string): readonly string[] {
  const [, list = ""] = /^Commands:\n(.*?)\n\n/ms.exec(help) ?? [];
  return [...list.matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name!);
}

/** Which of these variables the program would refuse: CACHESERVER_ names that are no configuration key. */
export function unknownVariables(names: Iterable<string>): readonly string[] {
  const environment = { get: () => undefined, names: () => names };
  return readOverrides(environment, new Map()).problems.map(({ path }) => path);
}
