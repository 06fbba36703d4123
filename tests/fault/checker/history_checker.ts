import type { Bounds } from "./bounds.ts";
import type { History, Operation, Read } from "./history.ts";
import { checkReads } from "./read_checker.ts";
import { checkSecretKeys } from "./secret_key_checker.ts";
import { checkContainment } from "./containment_checker.ts";
import type { Violation } from "./violation.ts";

/** The errors that an outage may cause, in the service or on the way to it. */
const ERRORS_OF_OUTAGES: readonly string[] = ["UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED"];

/** All violations of the service's guarantees in a history. */
export function checkHistory(history: History, bounds: Bounds): Violation[] {
  const ofKeys = [...byKey(history.operations).values()].flatMap((operations) => [
    ...operations.flatMap((operation) => wrongError(operation) ?? []),
    ...checkReads(operations, history, bounds),
    ...(operations[0]?.family === "secret" ? checkSecretKeys(operations, history, bounds) : []),
    ...checkSettled(operations, history.settledMs),
  ]);
  return [...ofKeys, ...checkContainment(history, bounds)];
}

function byKey(operations: readonly Operation[]): Map<string, Operation[]> {
  const groups = new Map<string, Operation[]>();
  for (const operation of operations) {
    const name = `${operation.family} ${operation.key}`;
    const group = groups.get(name) ?? [];
    group.push(operation);
    groups.set(name, group);
  }
  return groups;
}

function wrongError(operation: Operation): Violation | undefined {
  const { outcome, process } = operation;
  if (outcome.kind !== "failed" || outcome.reason === undefined) return undefined;
  if (ERRORS_OF_OUTAGES.includes(outcome.code)) return undefined;
  return {
    rule: "wrong error",
    text: `${process} answered ${outcome.code} ${outcome.reason}`,
    operations: [operation],
  };
}

/** After everything has settled, every replica answers within a few attempts, and all give the same answer. */
function checkSettled(operations: readonly Operation[], settledMs: number): Violation[] {
  const settled = operations.filter(({ startMs }) => startMs >= settledMs);
  const last = new Map(settled.map((operation) => [operation.process, operation]));
  const failed = [...last.values()].find(({ outcome }) => outcome.kind === "failed");
  if (failed !== undefined) {
    const text = `${failed.process} failed after every fault had ended`;
    return [{ rule: "unavailable", text, operations: [failed] }];
  }
  const [first, ...others] = settled.filter((operation) => operation.kind === "read")
    .filter(({ outcome }) => outcome.kind !== "failed");
  const other = others.find((read) => answer(read) !== answer(first!));
  if (first === undefined || other === undefined) return [];
  return [{
    rule: "disagreement",
    text: `${first.process} answered ${answer(first)}, ${other.process} ${answer(other)}`,
    operations: [other, first],
  }];
}

function answer({ outcome }: Read): string {
  return outcome.kind === "found" ? outcome.value : outcome.kind;
}
