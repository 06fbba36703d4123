import type { Topology } from "../cluster/cluster.ts";
import type { FaultKind, Thing } from "./fault_kind.ts";
import { FAULT_KINDS } from "./fault_kinds.ts";

/** A fault at its time, in ms since the start of the run. */
export interface PlannedFault {
  readonly kind: FaultKind;
  /** The index of the replica, for kinds that affect one. */
  readonly replica: number;
  readonly startMs: number;
  readonly endMs: number;
  /** No other fault affects these before this one ends. */
  readonly things: readonly string[];
}

export interface PlanOptions {
  readonly replicas: number;
  readonly lengthMs: number;
  readonly topology: Topology;
  /** Only faults whose names contain this text. */
  readonly only?: string | undefined;
}

/** The time without faults at the start, in which clients fill the tiers. */
const QUIET_MS = 500;
/** The longest pause between the starts of two faults. */
const LONGEST_PAUSE_MS = 900;
/** The calm before a contained fault, so that no failure comes from an earlier fault. */
const CALM_MS = 3_000;

/** Plans the faults of a run; they overlap unless they affect the same thing. */
export function planFaults(random: () => number, options: PlanOptions): PlannedFault[] {
  const { replicas, lengthMs } = options;
  const between = (low: number, high: number) => low + random() * (high - low);
  const kinds = kindsOf(options);
  const busyUntilMs = new Map<string, number>();
  const planned: PlannedFault[] = [];
  for (let nextMs = QUIET_MS; nextMs < lengthMs; nextMs += between(0, LONGEST_PAUSE_MS)) {
    const kind = choose(kinds, random());
    const replica = Math.floor(random() * replicas);
    const startMs = kind.isContained ? Math.max(nextMs, ...busyUntilMs.values()) + CALM_MS : nextMs;
    const endMs = startMs + between(...kind.lengthMs);
    const things = thingsOf(kind, replica, replicas);
    if (endMs > lengthMs || things.some((thing) => (busyUntilMs.get(thing) ?? 0) > startMs)) continue;
    for (const thing of things) busyUntilMs.set(thing, endMs);
    planned.push({ kind, replica, startMs, endMs, things });
  }
  return planned;
}

/** The kinds of fault that are possible in a topology. */
export function kindsOf({ topology, only = "" }: Pick<PlanOptions, "topology" | "only">): FaultKind[] {
  const kinds = FAULT_KINDS.filter((kind) => (kind.in ?? topology) === topology && kind.name.includes(only));
  if (kinds.length === 0) {
    throw new TypeError(`Cannot plan: no fault of "${topology}" has "${only}" in its name`);
  }
  return kinds;
}

const EVERYTHING: readonly Thing[] = ["redis", "mysql", "replica", "redis link", "mysql link"];

function thingsOf(kind: FaultKind, replica: number, replicas: number): string[] {
  const ofAll = (thing: Thing) => Array.from({ length: replicas }, (_, index) => `${thing} ${index}`);
  if (kind.isContained) return EVERYTHING.flatMap((thing) => isOfReplica(thing) ? ofAll(thing) : [thing]);
  return kind.on.flatMap((thing) => {
    if (thing === "every redis link") return ofAll("redis link");
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
