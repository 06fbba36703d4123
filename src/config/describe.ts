/** The configuration in force as YAML text, which the reader takes again where nothing is masked. */
import type { NamespaceSettings } from "./cache_options.ts";
import { formattedOption, NAMESPACE_OPTIONS } from "./namespace_keys.ts";
import { KEYS, NAMESPACES, type Path, PATHS, textOf } from "./schema.ts";
import { isConfigured, type Settings } from "./settings.ts";
import { MASK } from "./shown_value.ts";

/** What is described. */
export interface Described {
  readonly settings: Settings;
  readonly namespaces: readonly NamespaceSettings[];
  /** Stands for the database's source. */
  readonly maskedSource: string;
}

/** The key behind which namespaces are shown: the last of the section that they stand in. */
const BEFORE_NAMESPACES = PATHS.findLast((path) => NAMESPACES.startsWith(path.split(".", 1)[0]! + "."));

/** One line a key, with its origin behind it. */
export function describeSettings({ settings, namespaces, maskedSource }: Described): string {
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
    if (path === BEFORE_NAMESPACES && namespaces.length > 0) lines.push(...namespaceLines(namespaces));
  }
  return lines.join("\n") + "\n";
}

function namespaceLines(namespaces: readonly NamespaceSettings[]): string[] {
  const lines = namespaces.flatMap(({ name, options }) => [
    `${indent(2)}${quoted(name)}:`,
    ...NAMESPACE_OPTIONS.map((option) => {
      const { value, origin } = options[option];
      return `${indent(3)}${option}: ${formattedOption(option, value)} # ${origin}`;
    }),
  ]);
  return [`${indent(1)}namespaces:`, ...lines];
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
