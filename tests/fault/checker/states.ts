import type { Bounds } from "./bounds.ts";
import type { Delete, Fault, History, Operation, Read, Write } from "./history.ts";

/** A state that a key had from some instant on, until another one replaced it. */
export interface State {
  /** Undefined: not there. */
  readonly value: string | undefined;
  /** It began after this ... */
  readonly startMs: number;
  /** ... and before this, if it ever began: it was acknowledged, a client had seen it, or its late bound had ended. */
  readonly byMs: number;
  /** It certainly had begun by now, and only a later change can undo it. Infinity when that is unknown. */
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

/** How long readers may see a commit before it is on disk. */
const FLUSH_MS = 1_000;

/**
 * All states of a key, in no order. Operations are those of one key.
 *
 * A change that failed may take effect until {@link Bounds.lateMs} have passed, or never. A read that sees it proves
 * that it has. But readers of the database see a commit shortly before it is on disk, so a crash may undo a secret's
 * write that was seen but not acknowledged. Redis loses an entry only together with all others.
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
  // Redis is the authority of namespaced entries: an entry that it loses counts as deleted.
  for (const { emptiesRedis, startMs, endMs } of faults) {
    if (!emptiesRedis) continue;
    states.push({ value: undefined, startMs, byMs: endMs, durableMs: endMs, change: undefined });
  }
  return states;
}

/** Whether the database may lose a commit that readers saw at this time. */
function mayBeUndone({ family }: Operation, seenMs: number, faults: readonly Fault[]): boolean {
  return family === "secret" &&
    faults.some(({ crashesDatabase, startMs, endMs }) =>
      crashesDatabase === true && startMs - FLUSH_MS <= seenMs && seenMs <= endMs
    );
}

/** The latest time at which the process began the change: a frozen process may begin it when it resumes. */
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
