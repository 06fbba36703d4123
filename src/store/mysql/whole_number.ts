import { ServiceError } from "../../core/errors.ts";

/** The number that a 64-bit column says; an error where a JavaScript number would be another one. */
export function wholeNumber(text: string, column: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number)) return number;
  throw new ServiceError(
    "internal",
    `Cannot read a secret: its ${column} is ${text}, expected at most ${Number.MAX_SAFE_INTEGER}`,
    { tier: "database" },
  );
}
