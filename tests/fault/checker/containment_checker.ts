import type { Bounds } from "./bounds.ts";
import type { Fault, History, Operation } from "./history.ts";
import type { Violation } from "./violation.ts";

/** A few calls may fail in any case: they are late on a busy machine. */
const MAX_FAILED = 3;
const MAX_FAILED_RATIO = 0.03;

/** The most failed operations that a violation names. */
const MAX_NAMED = 5;

/**
 * Finds contained faults that spread: a fault of one key must not make calls for other keys fail. Operations that
 * overlap another fault or its recovery are not counted.
 */
export function checkContainment({ operations, faults }: History, bounds: Bounds): Violation[] {
  return faults.filter(({ isContained }) => isContained).flatMap((fault): Violation[] => {
    const others = faults.filter((other) => other !== fault);
    const counted = operations.filter((operation) =>
      overlaps(operation, fault, 0) && !others.some((other) => overlaps(operation, other, bounds.recoveryMs))
    );
    const [first, ...failed] = counted.filter(({ outcome }) => outcome.kind === "failed");
    const count = failed.length + 1;
    if (first === undefined || count <= MAX_FAILED || count <= counted.length * MAX_FAILED_RATIO) return [];
    const text =
      `${count} of ${counted.length} operations failed during "${fault.name}", which must not affect them`;
    return [{ rule: "unavailable", text, operations: [first, ...failed.slice(0, MAX_NAMED)] }];
  });
}

function overlaps(operation: Operation, fault: Fault, recoveryMs: number): boolean {
  return fault.startMs <= operation.endMs && operation.startMs <= fault.endMs + recoveryMs;
}
