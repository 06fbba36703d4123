import type { History, Operation, Read, Write } from "./history.ts";
import { SIMULATED_LATE_MS } from "./simulated_history.ts";

/** A way to make a correct history wrong. */
export interface Mutation {
  readonly name: string;
  /** Changes the outcome of one read; undefined if the history has no suitable one. */
  apply(history: History): Mutated | undefined;
}

/** A history with one wrong answer. */
export interface Mutated {
  readonly history: History;
  readonly read: Read;
}

/** Each makes a read return a value that no correct store returns in this history. */
export const MUTATIONS: readonly Mutation[] = [
  {
    name: "a value that no client wrote",
    apply: (history) => answerOtherwise(history, (read) => found(read, `${read.key} never had this`)),
  },
  {
    name: "a value that was replaced",
    apply: (history) =>
      answerOtherwise(history, (read) => {
        const newer = acknowledged(history, read).findLast((change) =>
          change.kind === "write" && change.endMs < read.startMs
        );
        const old = newer && olderWrite(history, newer);
        return old !== undefined && !isLost(history, read, old) ? found(read, old.value) : undefined;
      }),
  },
  {
    name: "a value that was deleted",
    apply: (history) =>
      answerOtherwise(history, (read) => {
        const remove = acknowledged(history, read).findLast((change) => change.endMs < read.startMs);
        const old = remove?.kind === "delete" ? olderWrite(history, remove) : undefined;
        return old !== undefined ? found(read, old.value) : undefined;
      }),
  },
  {
    name: "a value of a failed write whose late bound ended before another write began",
    apply: (history) =>
      answerOtherwise(history, (read) => {
        if (read.family !== "namespaced") return undefined;
        const newer = acknowledged(history, read).findLast((change) => change.endMs < read.startMs);
        const late = newer && changesOf(history, read).find((change): change is Write =>
          change.kind === "write" && change.outcome.kind === "failed" &&
          change.endMs + SIMULATED_LATE_MS < newer.startMs
        );
        return late && !isLost(history, read, late) ? found(read, late.value) : undefined;
      }),
  },
  {
    name: "nothing, where something was",
    apply: (history) =>
      answerOtherwise(history, (read) => {
        const write = acknowledged(history, read).findLast((change) =>
          change.kind === "write" && change.endMs < read.startMs
        );
        if (write === undefined || isLost(history, read, write)) return undefined;
        const mayBeGone = changesOf(history, read).some((change) =>
          change.kind === "delete" && change.startMs < read.endMs &&
          (change.outcome.kind === "failed" || change.endMs >= write.startMs)
        );
        return mayBeGone ? undefined : { ...read, outcome: { kind: "absent" } };
      }),
  },
];

function answerOtherwise(history: History, answer: (read: Read) => Read | undefined): Mutated | undefined {
  for (const [index, operation] of history.operations.entries()) {
    const read = operation.kind === "read" ? answer(operation) : undefined;
    if (read === undefined) continue;
    return { history: { ...history, operations: history.operations.with(index, read) }, read };
  }
  return undefined;
}

function found(read: Read, value: string): Read {
  return { ...read, outcome: { kind: "found", value, secretKey: undefined } };
}

function changesOf({ operations }: History, { family, key }: Read): Exclude<Operation, Read>[] {
  return operations.filter((operation) => operation.kind !== "read")
    .filter((change) => change.family === family && change.key === key);
}

/** The acknowledged changes of what was read, in the order in which they began. */
function acknowledged(history: History, read: Read): Exclude<Operation, Read>[] {
  return changesOf(history, read).filter(({ outcome }) => outcome.kind === "acknowledged")
    .sort((a, b) => a.startMs - b.startMs);
}

/** An acknowledged write of the same key that had ended before this change began. */
function olderWrite({ operations }: History, change: Operation): Write | undefined {
  return operations.filter((operation) => operation.kind === "write").find((write) =>
    write.family === change.family && write.key === change.key && write.outcome.kind === "acknowledged" &&
    write.endMs < change.startMs
  );
}

/** Whether the store may have forgotten what was written when it was read. */
function isLost({ faults }: History, read: Read, write: Operation): boolean {
  return faults.some(({ startMs, endMs }) => startMs < read.endMs && endMs > write.startMs);
}
