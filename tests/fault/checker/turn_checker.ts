import type { Read } from "./history.ts";
import type { State } from "./states.ts";
import type { Violation } from "./violation.ts";

/** The times at which a key certainly had a value. */
interface Tenure {
  /** The value was there by then. */
  readonly byMs: number;
  /** The value was still there then; before {@link byMs} if no client saw it for long. */
  readonly stillMs: number;
  /** The read that proves it. */
  readonly read: Read;
}

/**
 * A replaced value does not return, so one of two values was gone before the other one came. This finds violations
 * that neither of two concurrent writes shows alone:
 *
 *     write 1   |-----------|               write 1   |---------------------|
 *     write 2   |-----------|               write 2   |---------------------|
 *     reads                    1    2       reads        1    2    1
 *
 * Source: Gibbons and Korach, Testing Shared Memories (1997): zones of a history whose writes are all different.
 */
export function checkTurns(states: readonly State[], floors: ReadonlyMap<Read, number>): Violation[] {
  const all = tenures(states, floors);
  return all.flatMap((one, index): Violation[] => {
    const other = all.slice(0, index).find((other) => one.byMs < other.stillMs && other.byMs < one.stillMs);
    if (other === undefined) return [];
    const [last, first] = one.stillMs > other.stillMs ? [one.read, other.read] : [other.read, one.read];
    const text = `${last.process} found a value that had taken turns with another one`;
    return [{ rule: "returned value", text, operations: [last, first] }];
  });
}

/** The values that a client saw and that only a later change can undo. */
function tenures(states: readonly State[], floors: ReadonlyMap<Read, number>): Tenure[] {
  const last = new Map<string, readonly [Read, number]>();
  for (const [read, untilMs] of floors) {
    if (read.outcome.kind !== "found") continue;
    const { value } = read.outcome;
    const known = last.get(value);
    if (known === undefined || untilMs > known[1]) last.set(value, [read, untilMs]);
  }
  return states.flatMap(({ value, durableMs }) => {
    const found = value === undefined ? undefined : last.get(value);
    if (found === undefined || durableMs === Infinity) return [];
    return [{ byMs: durableMs, stillMs: found[1], read: found[0] }];
  });
}
