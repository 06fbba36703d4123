/** Limits of request fields. Sizes are bytes of UTF-8, or Unicode code points if the name ends in CHARACTERS. */
import type { Violation } from "./errors.ts";

const MAX_NAMESPACE_BYTES = 253;
export const MAX_KEY_BYTES = 1024;
export const MAX_TYPE_URL_BYTES = 1024;
export const MAX_SECRET_KEY_BYTES = 253;
export const MAX_SECRET_NAME_CHARACTERS = 253;
export const MAX_SECRET_DESCRIPTION_CHARACTERS = 256;

/** The control characters of Unicode, general category Cc: C0, DEL and C1. */
// deno-lint-ignore no-control-regex -- it looks for control characters
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f-\u009f]/;

/** UTF-8 takes at most this many bytes for one UTF-16 code unit. */
const MAX_UTF8_BYTES_PER_UNIT = 3;

const encoder = new TextEncoder();

/** How long a text may be, in bytes of UTF-8 or in Unicode code points. */
export interface TextLimit {
  readonly min: 0 | 1;
  readonly max: number;
  readonly unit: "bytes" | "characters";
}

export const NAMESPACE_LIMIT: TextLimit = { min: 1, max: MAX_NAMESPACE_BYTES, unit: "bytes" };

/** Whether a text is clearly acceptable; if false, {@link checkText} decides. Allocates nothing. */
export function isAcceptable(text: string, limit: TextLimit): boolean {
  return text.length >= limit.min && text.length * MAX_UTF8_BYTES_PER_UNIT <= limit.max &&
    !CONTROL_CHARACTER.test(text);
}

/** Adds to `violations` if the text is too short, too long or holds a control character. */
export function checkText(violations: Violation[], field: string, text: string, limit: TextLimit): void {
  if (text.length < limit.min) {
    violations.push({ field, description: `is empty, expected 1 to ${limit.max} ${limit.unit}` });
    return;
  }
  const length = limit.unit === "bytes" ? encoder.encode(text).length : countCharacters(text);
  if (length > limit.max) {
    const expected = `expected ${limit.min === 0 ? "at most" : "1 to"} ${limit.max}`;
    violations.push({ field, description: `is ${length} ${limit.unit}, ${expected}` });
  }
  const at = text.search(CONTROL_CHARACTER);
  if (at >= 0) {
    const code = text.charCodeAt(at).toString(16).toUpperCase().padStart(4, "0");
    violations.push({
      field,
      description: `has control character U+${code} at position ${at}, expected none`,
    });
  }
}

function countCharacters(text: string): number {
  let count = 0;
  for (const _character of text) count++;
  return count;
}
