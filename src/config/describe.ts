/** The configuration in force as YAML text. Where nothing is masked, it loads to the same configuration. */
import { type NamespaceSettings, optionName } from "./cache/namespaces.ts";
import { formatted } from "./key.ts";
import type { Settings } from "./schema.ts";
import { isConfigured, listed, type Setting } from "./settings.ts";
import { MASK } from "./shown_value.ts";

/** One line a key, its origin as a comment. */
export function describeSettings(settings: Settings, namespaces: readonly NamespaceSettings[]): string {
  const { redis } = settings.data;
  const notInForce = new Set(
    [redis, redis.sentinel].flatMap((section) => isConfigured(section) ? [] : listed(section)),
  );
  const lastOfCache = listed(settings.cache).at(-1);
  const lines: string[] = [];
  let above: readonly string[] = [];
  for (const setting of listed(settings)) {
    if (setting.value === undefined || notInForce.has(setting)) continue;
    const sections = setting.key.path.split(".");
    const name = sections.pop()!;
    for (const [depth, section] of sections.entries()) {
      if (sections.slice(0, depth + 1).join(".") === above.slice(0, depth + 1).join(".")) continue;
      lines.push(`${indent(depth)}${section}:`);
    }
    above = sections;
    lines.push(`${indent(sections.length)}${name}: ${shown(setting)} # ${setting.origin}`);
    if (setting === lastOfCache) lines.push(...namespaceLines(namespaces));
  }
  return lines.join("\n") + "\n";
}

function namespaceLines(namespaces: readonly NamespaceSettings[]): string[] {
  if (namespaces.length === 0) return [];
  const lines = namespaces.flatMap(({ name, options }) => [
    `${indent(2)}${quoted(name)}:`,
    ...listed(options).map(({ key, value, origin }) =>
      `${indent(3)}${optionName(key)}: ${formatted(key, value)} # ${origin}`
    ),
  ]);
  return [`${indent(1)}namespaces:`, ...lines];
}

function shown({ key, value, shown }: Setting): string {
  if (shown !== undefined) return quoted(shown);
  if (key.secret) return quoted(value === "" ? "" : MASK);
  const text = formatted(key, value);
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
