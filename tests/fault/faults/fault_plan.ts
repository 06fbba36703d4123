import { FAULT_KINDS, type FaultKind, type Thing } from "./fault_kinds.ts";

/** A fault at its time, in ms since the start of the run. */
export interface PlannedFault {
  readonly kind: FaultKind;
  /** Index of the replica, for those that are done to one. */
  readonly replica: number;
  readonly startMs: number;
  readonly endMs: number;
  /** No other fault is done to these before the end of this one. */
  readonly things: readonly string[];
}

export interface PlanOptions {
  readonly replicas: number;
  readonly lengthMs: number;
}

/** What a run begins with, in which clients fill the tiers. */
const QUIET_MS = 500;
/** The longest pause between the starts of two faults. */
const LONGEST_PAUSE_MS = 900;
/** Chooses what happens when; faults overlap unless they are done to the same thing. */
export function planFaults(
  random: () => number,
  { replicas, lengthMs }: PlanOptions,
): PlannedFault[] {
  const between = (low: number, high: number) => low + random() * (high - low);
  const busyUntilMs = new Map<string, number>();
  const planned: PlannedFault[] = [];
  for (let startMs = QUIET_MS; startMs < lengthMs; startMs += between(0, LONGEST_PAUSE_MS)) {
    const kind = choose(FAULT_KINDS, random());
    const replica = Math.floor(random() * replicas);
    const endMs = startMs + between(...kind.lengthMs);
    const things = thingsOf(kind, replica, replicas);
    if (endMs > lengthMs || things.some((thing) => (busyUntilMs.get(thing) ?? 0) > startMs)) continue;
    for (const thing of things) busyUntilMs.set(thing, endMs);
    planned.push({ kind, replica, startMs, endMs, things });
  }
  return planned;
}

function thingsOf(kind: FaultKind, replica: number, replicas: number): string[] {
  return kind.on.flatMap((thing) => {
    if (thing === "every redis link") {
      return Array.from({ length: replicas }, (_, index) => `redis link ${index}`);
    }
    return isOfReplica(thing) ? [`${thing} ${replica}`] : [thing];
  });
}

function isOfReplica(thing: Thing): boolean {
  return thing === "replica" || thing === "redis link" || thing === "mysql link";
}

function choose(kinds: readonly FaultKind[], dice: number): FaultKind {
  let left = dice * kinds.reduce((sum, { weight }) => sum + weight, 0);
  return kinds.find(({ weight }) => (left -= weight) < 0)!;
}

/** `pause replica 2`, `FLUSHALL`. */
export function faultName({ kind, replica }: Pick<PlannedFault, "kind" | "replica">): string {
  if (!kind.on.some(isOfReplica)) return kind.name;
  return kind.on.includes("replica")
    ? `${kind.name} replica ${replica + 1}`
    : `${kind.name} of replica ${replica + 1}`;
}
