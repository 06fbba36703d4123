/** What the file says, key by key. */
import type { Problem } from "./config_error.ts";
import { isPath, namesBelow, type Path } from "./schema.ts";
import { nearest } from "./suggestion.ts";

/** Collects the values of known keys from a parsed file; whatever else is in there is a problem. */
export function readTree(
  tree: unknown,
  file: string,
): { values: ReadonlyMap<Path, unknown>; problems: readonly Problem[] } {
  const values = new Map<Path, unknown>();
  const problems: Problem[] = [];
  if (tree !== undefined) readSection("", tree);
  return { values, problems };

  function readSection(section: string, value: unknown): void {
    const names = namesBelow(section);
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      problems.push({ path: section || file, ...notAMapping(value, names) });
      return;
    }
    for (const [name, child] of Object.entries(value)) {
      const path = section === "" ? name : `${section}.${name}`;
      if (isPath(path)) values.set(path, child);
      else if (names.includes(name)) readSection(path, child);
      else problems.push(unknownName(section || file, name, path, names));
    }
  }
}

/** The value itself is not shown: it may be a whole data source, one level too high. */
function notAMapping(value: unknown, names: readonly string[]): Omit<Problem, "path"> {
  const kind = Array.isArray(value) ? "a list" : value === null ? "empty" : `a ${typeof value}`;
  return { wrong: `is ${kind}, not a mapping`, accepted: `the keys ${names.join(", ")}` };
}

function unknownName(section: string, name: string, path: string, names: readonly string[]): Problem {
  const suggestion = nearest(name, names);
  const accepted = `one of ${names.join(", ")}` +
    (suggestion === undefined ? "" : ` (did you mean ${suggestion}?)`);
  // What does not look like a name may be a password whose key was forgotten.
  return /^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/.test(name)
    ? { path, wrong: "is not a known key", accepted }
    : { path: section, wrong: "has an unknown key", accepted };
}
