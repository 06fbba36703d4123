import type { Bounds } from "./bounds.ts";
import type { Delete, Fault, History, Operation, Read, Write } from "./history.ts";

/** Something that a key was from some instant on, until something else replaced it. */
export interface State {
  /** Undefined: not there. */
  readonly value: string | undefined;
  /** It began after this ... */
  readonly startMs: number;
  /** ... and before this, if it ever began: it was acknowledged, a client had seen it, or it was too late for it. */
  readonly byMs: number;
  /** From here on it certainly had begun, and nothing undoes it but a later change. Infinity when that is unknown. */
  readonly durableMs: number;
  /** The change that made it; undefined for the absence before the first one and after a loss. */
  readonly change: Write | Delete | undefined;
}

const NEVER_WRITTEN: State = {
  value: undefined,
  startMs: -Infinity,
  byMs: -Infinity,
  durableMs: -Infinity,
  change: undefined,
};

/** For how long a commit may be shown before it is on disk. */
const FLUSH_MS = 1_000;

/**
 * All that a key ever was, in no order. Operations are those of one key.
 *
 * A change that failed may take effect until {@link Bounds.lateMs} have passed, or never. A read that sees it proves
 * that it has; but a database shows a commit to readers shortly before it is on disk, so that a crash may undo a
 * secret's write that was not acknowledged, while what Redis has shown it forgets only together with all else.
 */
export function statesOf(
  operations: readonly Operation[],
  { faults }: Pick<History, "faults">,
  { lateMs }: Pick<Bounds, "lateMs">,
): State[] {
  const seenMs = firstSeenMs(operations.filter((operation) => operation.kind === "read"));
  const states: State[] = [NEVER_WRITTEN];
  for (const operation of operations) {
    if (operation.kind === "read") continue;
    const value = operation.kind === "write" ? operation.value : undefined;
    const acknowledgedMs = operation.outcome.kind === "acknowledged" ? operation.endMs : Infinity;
    const certainMs = Math.min(
      acknowledgedMs,
      value === undefined ? Infinity : seenMs.get(value) ?? Infinity,
    );
    const isDurable = acknowledgedMs < Infinity || !mayBeUndone(operation, certainMs, faults);
    states.push({
      value,
      startMs: operation.startMs,
      byMs: Math.min(certainMs, lastChanceMs(operation, faults) + lateMs[operation.family]),
      durableMs: isDurable ? certainMs : Infinity,
      change: operation,
    });
  }
  if (operations[0]?.family !== "namespaced") return states;
  // Redis is the authority of namespaced entries: what it forgets is as good as deleted.
  for (const { emptiesRedis, startMs, endMs } of faults) {
    if (!emptiesRedis) continue;
    states.push({ value: undefined, startMs, byMs: endMs, durableMs: endMs, change: undefined });
  }
  return states;
}

/** Whether the database may forget what it showed at this time. */
function mayBeUndone({ family }: Operation, seenMs: number, faults: readonly Fault[]): boolean {
  return family === "secret" &&
    faults.some(({ crashesDatabase, startMs, endMs }) =>
      crashesDatabase === true && startMs - FLUSH_MS <= seenMs && seenMs <= endMs
    );
}

/** When the process had begun the change at the latest: a frozen one may begin it when it goes on. */
function lastChanceMs({ startMs, endMs, replica }: Operation, faults: readonly Fault[]): number {
  const freezes = faults.filter((fault) =>
    fault.freezes === replica && fault.startMs <= endMs && startMs <= fault.endMs
  );
  return Math.max(endMs, ...freezes.map((fault) => fault.endMs));
}

function firstSeenMs(reads: readonly Read[]): Map<string, number> {
  const seenMs = new Map<string, number>();
  for (const { outcome, endMs } of reads) {
    if (outcome.kind !== "found") continue;
    seenMs.set(outcome.value, Math.min(endMs, seenMs.get(outcome.value) ?? Infinity));
  }
  return seenMs;
}
