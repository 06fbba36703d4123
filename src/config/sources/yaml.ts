/** Parses YAML text to plain values, with only what npm's `yaml` and JSR's `@std/yaml` have in common. */
import { parse } from "@std/yaml";
import { ConfigError } from "../config_error.ts";

/** The core schema has text, numbers, booleans and null. Warnings are off: they could print a password. */
const OPTIONS = { schema: "core", logLevel: "error", onWarning: () => {} } as const;

/** The value of `text`; undefined for an empty file. Throws a ConfigError that quotes nothing of it. */
export function parseYaml(text: string, path: string): unknown {
  try {
    return parse(text, OPTIONS) ?? undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw forbidden(path, error);
    const message = error instanceof Error ? error.message : "";
    const [, reason = "", line, column] = /^(.*?)(?: at line (\d+), column (\d+)|$)/.exec(message) ?? [];
    throw new ConfigError([{
      path: line === undefined ? path : `${path}:${line}:${column}`,
      wrong: isFixedSentence(reason) ? `is not YAML (${reason})` : "is not YAML",
      accepted: EXPECTATIONS.find(([pattern]) => pattern.test(reason))?.[1] ??
        "lines of key: value, with quotes around text with special characters",
    }]);
  }
}

/** What to write instead, by the parser's reason. */
const EXPECTATIONS: readonly (readonly [reason: RegExp, accepted: string])[] = [
  [/^Tabs are not allowed/, "spaces as indentation"],
  [/keys must be unique/, "each key once"],
  [/^Missing closing ["']quote$/, "a quote at the end of the text"],
];

/** npm's `yaml` reads two variables of its own before it parses anything. */
function forbidden(path: string, { message }: Error): ConfigError {
  return new ConfigError([{
    path,
    wrong: "cannot be parsed by this process",
    accepted: `the permission that the YAML parser lacks (${message})`,
  }]);
}

/**
 * Whether a parser's reason is a fixed sentence. Reasons that quote the file (`Unresolved alias: x`,
 * `Invalid escape sequence \x`), and so maybe a password, have a sign before the quotation.
 */
function isFixedSentence(reason: string): boolean {
  return /^[A-Za-z ,'[\]{}-]+$|^Missing closing "quote$/.test(reason);
}
