import type { Violation } from "../core/errors.ts";

/** What most requests have; shared, so that a good request costs no list. */
export const NO_VIOLATIONS: readonly Violation[] = Object.freeze([]);

/** A violation for every field, by name, whose bytes were not text. */
export function malformedText(fields: Readonly<Record<string, string | undefined>>): Violation[] {
  const violations: Violation[] = [];
  for (const field in fields) {
    if (fields[field] === undefined) violations.push({ field, description: "is not valid UTF-8" });
  }
  return violations;
}
