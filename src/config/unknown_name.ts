/** How problems speak of what is in a file and has no place there. */
import type { Fault, Problem } from "./config_error.ts";
import { nearest } from "./suggestion.ts";

/** The value itself is not shown: it may be a whole data source, one level too high. */
export function notAMapping(value: unknown, accepted: string): Fault {
  const kind = Array.isArray(value) ? "a list" : value === null ? "empty" : `a ${typeof value}`;
  return { wrong: `is ${kind}, not a mapping`, accepted };
}

/** A name in `section` that is none of `names`. */
export function unknownName(
  section: string,
  name: string,
  path: string,
  names: readonly string[],
): Problem {
  const suggestion = nearest(name, names);
  const accepted = `one of ${names.join(", ")}` +
    (suggestion === undefined ? "" : ` (did you mean ${suggestion}?)`);
  // What does not look like a name may be a password whose key was forgotten.
  return /^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/.test(name)
    ? { path, wrong: "is not a known key", accepted }
    : { path: section, wrong: "has an unknown key", accepted };
}
