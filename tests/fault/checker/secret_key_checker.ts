import type { Bounds } from "./bounds.ts";
import type { History, Operation, Read, Write } from "./history.ts";
import { type State, statesOf } from "./states.ts";
import type { Violation } from "./violation.ts";

/** A write, with the read that saw it and the secretKey that came with its value. */
interface Sighting {
  readonly state: State & { readonly change: Write };
  readonly read: Read;
  readonly secretKey: string;
}

/**
 * A secret keeps its secretKey until it is deleted, and gets another one when it is created again. Operations are
 * those of one secret.
 */
export function checkSecretKeys(
  operations: readonly Operation[],
  history: History,
  bounds: Bounds,
): Violation[] {
  const states = statesOf(operations, history, bounds);
  const deletes = states.filter(({ change }) => change?.kind === "delete");
  const sightings: Sighting[] = [];
  const violations: Violation[] = [];
  for (const sighting of sightingsOf(operations, states)) {
    const earlier = sightings.find(({ state }) => state === sighting.state);
    if (earlier === undefined) {
      violations.push(...sightings.flatMap((other) => contradiction(other, sighting, deletes) ?? []));
      sightings.push(sighting);
    } else if (earlier.secretKey !== sighting.secretKey) violations.push(changed(earlier, sighting));
  }
  return violations;
}

function sightingsOf(operations: readonly Operation[], states: readonly State[]): Sighting[] {
  return operations.flatMap((read) => {
    if (read.kind !== "read" || read.outcome.kind !== "found") return [];
    const { value, secretKey } = read.outcome;
    const state = states.find((state): state is Sighting["state"] =>
      state.change?.kind === "write" && state.value === value
    );
    return state === undefined || secretKey === undefined ? [] : [{ state, read, secretKey }];
  });
}

function contradiction(one: Sighting, other: Sighting, deletes: readonly State[]): Violation | undefined {
  const [first, second] = one.state.startMs <= other.state.startMs ? [one, other] : [other, one];
  if (first.secretKey === second.secretKey) {
    const between = deletes.find(({ startMs, durableMs }) =>
      first.state.byMs < startMs && durableMs < second.state.startMs
    );
    if (between?.change === undefined) return undefined;
    return {
      rule: "kept secretKey",
      text: `${first.state.value} and ${second.state.value} have one secretKey, with a delete in between`,
      operations: [second.read, first.state.change, between.change, second.state.change],
    };
  }
  // A crash may undo a commit that was seen before it was on disk: only acknowledged changes count.
  if ([first, second].some(({ state }) => state.durableMs === Infinity)) return undefined;
  const endMs = Math.max(first.state.durableMs, second.state.durableMs);
  if (deletes.some(({ startMs, byMs }) => startMs < endMs && byMs > first.state.startMs)) return undefined;
  return changed(first, second);
}

function changed(first: Sighting, second: Sighting): Violation {
  return {
    rule: "changed secretKey",
    text: `${first.state.value} and ${second.state.value} have two secretKeys, with no delete in between`,
    operations: [second.read, first.read, ...new Set([first.state.change, second.state.change])],
  };
}
