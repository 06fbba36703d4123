/** The configuration in force as YAML text, which the reader takes again where nothing is masked. */
import { KEYS, type Path, PATHS, textOf } from "./schema.ts";
import { isConfigured, type Settings } from "./settings.ts";
import { MASK } from "./shown_value.ts";

/** One line a key, with its origin behind it; `maskedSource` stands for the database's source. */
export function describeSettings(settings: Settings, maskedSource: string): string {
  const lines: string[] = [];
  let above: readonly string[] = [];
  for (const path of PATHS) {
    if (!isInForce(path, settings)) continue;
    const sections = path.split(".");
    const name = sections.pop()!;
    for (const [depth, section] of sections.entries()) {
      if (sections.slice(0, depth + 1).join(".") === above.slice(0, depth + 1).join(".")) continue;
      lines.push(`${indent(depth)}${section}:`);
    }
    above = sections;
    const value = shown(path, settings, maskedSource);
    lines.push(`${indent(sections.length)}${name}: ${value} # ${settings[path].origin}`);
  }
  return lines.join("\n") + "\n";
}

/** Sections that mean nothing, their defaults neither, where nobody has set a key of theirs. */
const OPTIONAL_SECTIONS = ["data.redis", "data.redis.sentinel"];

function isInForce(path: Path, settings: Settings): boolean {
  return settings[path].value !== undefined &&
    OPTIONAL_SECTIONS.every((section) => !path.startsWith(`${section}.`) || isConfigured(settings, section));
}

function shown(path: Path, settings: Settings, maskedSource: string): string {
  const { value } = settings[path];
  if (path === "data.database.source") return quoted(maskedSource);
  if (KEYS[path].secret) return quoted(value === "" ? "" : MASK);
  const text = textOf(path, value);
  return typeof value === "number" || typeof value === "boolean" ? text : quoted(text);
}

/** The text as a YAML scalar: plain where YAML reads it back as this text, else in JSON's quotes. */
function quoted(text: string): string {
  const plain = /^(?:[A-Za-z]|\d+[.:])[\w./:()@?=&%+*-]*[\w)]$/.test(text);
  return plain && !/^(?:true|false|null|[\d.]+(?:e[\d+-]+)?)$/i.test(text) ? text : JSON.stringify(text);
}

function indent(depth: number): string {
  return "  ".repeat(depth);
}
