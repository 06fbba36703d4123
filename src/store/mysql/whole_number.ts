import { ServiceError } from "../../core/errors.ts";

/** The value of a 64-bit column; throws if a JavaScript number cannot hold it exactly. */
export function wholeNumber(text: string, column: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number)) return number;
  throw new ServiceError(
    "internal",
    `Cannot read a secret: its ${column} is ${text}, expected at most ${Number.MAX_SAFE_INTEGER}`,
    { tier: "database" },
  );
}
