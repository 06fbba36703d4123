/** Problems with names that are not known, and what was probably meant. */
import type { ParseError, Problem } from "../config_error.ts";

/** The value itself is not shown: it may be a whole data source, one level too high. */
export function notAMapping(value: unknown, accepted: string): ParseError {
  const found = Array.isArray(value) ? "a list" : value === null ? "empty" : `a ${typeof value}`;
  return { wrong: `is ${found}, not a mapping`, accepted };
}

/** The problem of a name in `section` that is none of `names`. */
export function unknownName(
  section: string,
  name: string,
  path: string,
  names: readonly string[],
): Problem {
  const suggestion = nearest(name, names);
  const accepted = `one of ${names.join(", ")}` +
    (suggestion === undefined ? "" : ` (did you mean ${suggestion}?)`);
  // Text that does not look like a name may be a password whose key is missing.
  return /^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/.test(name)
    ? { path, wrong: "is not a known key", accepted }
    : { path: section, wrong: "has an unknown key", accepted };
}

/** The candidate that `name` most likely misspells; undefined when none is near. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = folded(name);
  // One edit is allowed in a short name, and one more for every three letters.
  let leastEdits = Math.floor(wanted.length / 3) + 1;
  let best: string | undefined;
  for (const candidate of candidates) {
    const edits = editDistance(wanted, folded(candidate));
    if (edits >= leastEdits) continue;
    leastEdits = edits;
    best = candidate;
  }
  return best;
}

/** Makes `readTimeout`, `read-timeout` and `read_timeout` equal. */
function folded(name: string): string {
  return name.toLowerCase().replace(/[-_]/g, "");
}

/** The Levenshtein distance, computed with one row of the table at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const above = row;
    row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, above[j]! + 1, row[j - 1]! + 1));
    }
  }
  return row[b.length]!;
}
