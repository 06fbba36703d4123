import type { Read } from "./history.ts";
import type { State } from "./states.ts";
import type { Violation } from "./violation.ts";

/** For how long a value was certainly there. */
interface Tenure {
  readonly fromMs: number;
  /** The last read that found it, and how old its answer may be. */
  readonly last: Read;
  readonly untilMs: number;
}

/**
 * A value that was replaced does not come back, so that the times at which two of them certainly were there
 * never overlap. This finds what neither of two writes at once can be blamed for alone:
 *
 *     write 1   |-----------|
 *     write 2   |-----------|
 *     reads                    1    2
 */
export function checkTurns(states: readonly State[], floors: ReadonlyMap<Read, number>): Violation[] {
  const violations: Violation[] = [];
  let longest: Tenure | undefined;
  for (const tenure of tenures(states, floors)) {
    if (longest !== undefined && tenure.fromMs < longest.untilMs) {
      const [back, other] = [longest, tenure].sort((a, b) => b.last.startMs - a.last.startMs);
      violations.push({
        rule: "returned value",
        text: `${back!.last.process} found a value again in whose place another one had been seen`,
        operations: [back!.last, other!.last],
      });
    }
    if (longest === undefined || tenure.untilMs > longest.untilMs) longest = tenure;
  }
  return violations;
}

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
    if (found === undefined || durableMs >= found[1]) return [];
    return [{ fromMs: durableMs, last: found[0], untilMs: found[1] }];
  }).sort((a, b) => a.fromMs - b.fromMs);
}
