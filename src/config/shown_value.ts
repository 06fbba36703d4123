/** Stands wherever a secret would. */
export const MASK = "***";

const MAX_SHOWN_CHARS = 60;

/**
 * A value as an error may show it, on one line and cut short. Text with an `@` is masked under every key:
 * `redis://:password@host` gets typed where `host:port` belongs.
 */
export function shownValue(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "a mapping";
  if (typeof value !== "string") return String(value);
  if (value.includes("@")) return MASK;
  const characters = [...value];
  const cut = characters.length > MAX_SHOWN_CHARS;
  return JSON.stringify(cut ? characters.slice(0, MAX_SHOWN_CHARS).join("") + "..." : value);
}
