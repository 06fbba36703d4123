/** Finds what somebody meant to type. */

/** The candidate that `name` is most likely a slip of; undefined when none is near. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = folded(name);
  // One slip is forgiven in a short name, one more for every further three letters.
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

/** `readTimeout`, `read-timeout` and `read_timeout` are the same slip. */
function folded(name: string): string {
  return name.toLowerCase().replace(/[-_]/g, "");
}

/** Levenshtein's distance, kept one row of the table at a time. */
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
