import type { Fault, History, Operation } from "./checker/history.ts";
import type { Violation } from "./checker/violation.ts";

/** How long before and after the operations of a violation the report covers. */
const AROUND_MS = 1_000;
/** More violations would hide what they have in common. */
const MAX_VIOLATIONS = 5;
const MAX_OPERATIONS = 40;

/** The violations of a history as text: each with its operations, the others of its key, and the faults. */
export function reportViolations(history: History, violations: readonly Violation[]): string {
  const shown = violations.slice(0, MAX_VIOLATIONS).map((violation) => report(history, violation));
  const left = violations.length - shown.length;
  return [...shown, ...(left > 0 ? [`and ${left} more`] : [])].join("\n\n");
}

/** A history in one line. */
export function summarize({ operations, faults }: History): string {
  const count = (kind: Operation["outcome"]["kind"]) =>
    operations.filter(({ outcome }) => outcome.kind === kind).length;
  return `${operations.length} operations (${count("found")} found, ${count("absent")} absent, ` +
    `${count("acknowledged")} acknowledged, ${count("failed")} failed), ${faults.length} faults`;
}

function report({ operations, faults, settledMs }: History, violation: Violation): string {
  const [offending] = violation.operations;
  const fromMs = Math.min(...violation.operations.map(({ startMs }) => startMs)) - AROUND_MS;
  const toMs = Math.max(...violation.operations.map(({ endMs }) => endMs)) + AROUND_MS;
  const isNear = ({ startMs, endMs }: Operation | Fault) => startMs <= toMs && endMs >= fromMs;
  const originMs = Math.min(...operations.map(({ startMs }) => startMs));
  const time = (ms: number) => ((ms - originMs) / 1000).toFixed(3).padStart(8);
  const line = (mark: string, item: Operation | Fault, text: string) =>
    `${mark} ${time(item.startMs)} to ${time(item.endMs)}  ${text}`;
  const sameKey = operations.filter(({ family, key }) =>
    family === offending.family && key === offending.key
  );
  const between = sameKey.filter((operation) =>
    isNear(operation) && !violation.operations.includes(operation)
  )
    .slice(-MAX_OPERATIONS);
  const lines = [
    ...[...violation.operations, ...between].sort((a, b) => a.startMs - b.startMs).map((operation) =>
      line(violation.operations.includes(operation) ? "*" : " ", operation, describe(operation))
    ),
    ...faults.filter(isNear).map((fault) => line("!", fault, fault.name)),
  ];
  const settled = offending.startMs >= settledMs ? ", settled" : "";
  return [`${violation.rule} of ${offending.family} ${offending.key}${settled}: ${violation.text}`, ...lines]
    .join("\n");
}

function describe(operation: Operation): string {
  const { outcome } = operation;
  const what = operation.kind === "write" ? `write ${operation.value}` : operation.kind;
  const ended = {
    found: () => outcome.kind === "found" && `${outcome.value} ${outcome.secretKey?.slice(0, 8) ?? ""}`,
    failed: () => outcome.kind === "failed" && `${outcome.code} ${outcome.reason ?? ""}`,
    absent: () => "absent",
    acknowledged: () => "acknowledged",
  }[outcome.kind]();
  return `${operation.process}: ${what} -> ${ended}`;
}
