import type { Bounds } from "./bounds.ts";
import type { Found, History, Operation, Read } from "./history.ts";
import { NewestState } from "./newest_state.ts";
import { readFloors } from "./read_floors.ts";
import { type State, statesOf } from "./states.ts";
import { checkTurns } from "./turn_checker.ts";
import type { Rule, Violation } from "./violation.ts";

/**
 * Holds every answer against what the key may have been. An answer is right if some state with its value
 * began before the answer came, and was not certainly replaced before the read began:
 *
 *     write 1   |-----|
 *     write 2            |-----|
 *     read                        |-----|   not 1: it was there by the end of its write, before 2 began
 */
export function checkReads(
  operations: readonly Operation[],
  history: History,
  bounds: Bounds,
): Violation[] {
  const reads = operations.filter((operation) => operation.kind === "read");
  const states = statesOf(operations, history, bounds);
  const floors = readFloors(reads, history, bounds);
  const anywhere = new NewestState(states, ({ durableMs }) => durableMs);
  const ownChanges = new Map<string, NewestState>();
  const own = (process: string) => {
    const known = ownChanges.get(process);
    if (known !== undefined) return known;
    const made = states.filter(({ change }) => change?.process === process);
    const newest = new NewestState(made, acknowledgedMs);
    ownChanges.set(process, newest);
    return newest;
  };

  const wrong = reads.flatMap((read) => {
    const { outcome } = read;
    if (outcome.kind === "failed") return [];
    const replacing = newer(
      anywhere.before(floors.get(read)!),
      own(read.process).before(read.startMs),
    );
    const value = outcome.kind === "found" ? outcome.value : undefined;
    const possible = states.filter((state) => state.value === value && state.startMs < read.endMs);
    if (possible.some(({ byMs }) => replacing === undefined || byMs >= replacing.startMs)) return [];
    return [wrongAnswer(read, outcome.kind === "found" ? outcome : undefined, possible, replacing)];
  });
  return wrong.length > 0 ? wrong : checkTurns(states, floors);
}

function acknowledgedMs({ change }: State): number {
  return change?.outcome.kind === "acknowledged" ? change.endMs : Infinity;
}

function newer(a: State | undefined, b: State | undefined): State | undefined {
  return a === undefined || (b !== undefined && b.startMs > a.startMs) ? b : a;
}

function wrongAnswer(
  read: Read,
  found: Found | undefined,
  possible: readonly State[],
  replacing: State | undefined,
): Violation {
  const changes = [...possible, replacing].flatMap((state) => state?.change ?? []);
  const operations = [read, ...new Set(found === undefined ? changes.slice(-1) : changes)] as const;
  const violation = (rule: Rule, text: string) => ({ rule, text, operations });
  if (found === undefined) {
    return violation("false miss", `${read.process} found nothing, after ${said(replacing)}`);
  }
  if (possible.length === 0) {
    return violation(
      "unwritten value",
      `${read.process} returned ${found.value}, which was never written there`,
    );
  }
  return violation(
    replacing?.value === undefined ? "deleted value" : "stale value",
    `${read.process} returned ${found.value}, after ${said(replacing)}`,
  );
}

function said(state: State | undefined): string {
  if (state?.value !== undefined) return `${state.value} was there`;
  return state?.change === undefined ? "Redis had lost it" : "it was deleted";
}
