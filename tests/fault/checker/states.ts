import type { Delete, Fault, Operation, Read, Write } from "./history.ts";

/** Something that a key was from some instant on, until something else replaced it. */
export interface State {
  /** Undefined: not there. */
  readonly value: string | undefined;
  /** It began after this ... */
  readonly startMs: number;
  /** ... and before this: it was acknowledged, or somebody had seen it. Infinity when nobody knows. */
  readonly byMs: number;
  /** From here on nothing undoes it but a later change. */
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

/**
 * All that a key ever was, in no order. Operations are those of one key.
 *
 * A change that failed may take effect at any time after its start, or never. Whoever sees it knows that it
 * has; but a database shows a commit to readers shortly before it is on disk, so that a secret's write is
 * only durable once it is acknowledged, while what Redis has shown it forgets only together with all else.
 */
export function statesOf(operations: readonly Operation[], faults: readonly Fault[]): State[] {
  const seenMs = firstSeenMs(operations.filter((operation) => operation.kind === "read"));
  const states: State[] = [NEVER_WRITTEN];
  for (const operation of operations) {
    if (operation.kind === "read") continue;
    const value = operation.kind === "write" ? operation.value : undefined;
    const acknowledgedMs = operation.outcome.kind === "acknowledged" ? operation.endMs : Infinity;
    const byMs = Math.min(acknowledgedMs, value === undefined ? Infinity : seenMs.get(value) ?? Infinity);
    const isDurable = acknowledgedMs < Infinity || operation.family === "namespaced";
    states.push({
      value,
      startMs: operation.startMs,
      byMs,
      durableMs: isDurable ? byMs : Infinity,
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

function firstSeenMs(reads: readonly Read[]): Map<string, number> {
  const seenMs = new Map<string, number>();
  for (const { outcome, endMs } of reads) {
    if (outcome.kind !== "found") continue;
    seenMs.set(outcome.value, Math.min(endMs, seenMs.get(outcome.value) ?? Infinity));
  }
  return seenMs;
}
