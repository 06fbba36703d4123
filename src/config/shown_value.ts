/** Shown instead of a secret. */
export const MASK = "***";

const MAX_SHOWN_CHARS = 60;

/**
 * A value as an error may show it: at most its first word, on one line, since a missing line break may append the
 * next line with its password. Text with an `@` is masked under every key: `redis://:password@host` may be typed
 * instead of `host:port`.
 */
export function shownValue(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "a mapping";
  if (typeof value !== "string") return String(value);
  if (value.includes("@") || /^\s/.test(value)) return MASK;
  const word = [.../^\S*/.exec(value)![0]].slice(0, MAX_SHOWN_CHARS).join("");
  return JSON.stringify(word === value ? value : `${word} ...`);
}
