import { ServiceError, type Violation } from "../core/errors.ts";
import { checkText, isAcceptable, type TextLimit } from "../core/limits.ts";

/** Throws all violations of a request at once, if any. `action` completes "Cannot …"; a function, because it is slow. */
export function rejectIfInvalid(action: () => string, violations: readonly Violation[]): void {
  if (violations.length === 0) return;
  const list = violations.map(({ field, description }) =>
    field === "" ? description : `${field} ${description}`
  );
  throw new ServiceError("invalid_argument", `Cannot ${action()}: ${list.join("; ")}`, { violations });
}

/** Checks a text field, unless it already has a violation because it is not readable text. */
export function checkField(violations: Violation[], field: string, text: string, limit: TextLimit): void {
  if (isAcceptable(text, limit)) return;
  if (!violations.some((violation) => violation.field === field)) checkText(violations, field, text, limit);
}

/** A text from a request for use in an error: quoted, and cut if it is long. */
export function quoted(text: string): string {
  const LONGEST = 64;
  return JSON.stringify(text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`);
}
