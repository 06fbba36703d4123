import type { Bounds } from "./bounds.ts";
import type { Fault, History, Operation } from "./history.ts";
import type { Violation } from "./violation.ts";

/** A busy machine makes a few calls late, which the service cannot help. */
const MAX_FAILED = 3;
const MAX_FAILED_RATIO = 0.03;

/** How many of them a violation names. */
const MAX_NAMED = 5;

/**
 * Finds faults that spread: what happens to one key must not cost the calls of others anything. Only operations that
 * no other fault overlaps, nor its recovery, are counted.
 */
export function checkUnconcerned({ operations, faults }: History, bounds: Bounds): Violation[] {
  return faults.filter(({ concernsOthers }) => concernsOthers === false).flatMap((fault): Violation[] => {
    const others = faults.filter((other) => other !== fault);
    const counted = operations.filter((operation) =>
      overlaps(operation, fault, 0) && !others.some((other) => overlaps(operation, other, bounds.recoveryMs))
    );
    const [first, ...failed] = counted.filter(({ outcome }) => outcome.kind === "failed");
    const count = failed.length + 1;
    if (first === undefined || count <= MAX_FAILED || count <= counted.length * MAX_FAILED_RATIO) return [];
    const text =
      `${count} of ${counted.length} operations failed during "${fault.name}", which concerns none`;
    return [{ rule: "unavailable", text, operations: [first, ...failed.slice(0, MAX_NAMED)] }];
  });
}

function overlaps(operation: Operation, fault: Fault, recoveryMs: number): boolean {
  return fault.startMs <= operation.endMs && operation.startMs <= fault.endMs + recoveryMs;
}
