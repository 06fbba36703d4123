/** Parses one value of the file, its references expanded. */
import type { ParseError } from "../config_error.ts";
import type { Key } from "../key.ts";
import { MASK, shownValue } from "../shown_value.ts";
import type { Parsed } from "../value_type.ts";
import { type Environment, lookUp } from "./environment.ts";
import { expand } from "./expand.ts";

/** A key's value, or what is wrong with it and how it may be shown. */
export type ValueResult = { readonly value: unknown } | {
  readonly shown: string;
  readonly errors: readonly ParseError[];
};

/** Parses text without a reference as YAML has it; text with a reference may also be a number. */
export function parseFileValue(key: Key, value: unknown, environment: Environment): ValueResult {
  if (Array.isArray(value)) return parseFileList(key, value, environment);
  if (typeof value !== "string") return resultOf(key, value, key.type.parse(value));
  const { text, expanded, fromFile, errors } = expand(value, (name) => lookUp(environment, name), key.secret);
  if (errors.length > 0) return { shown: key.secret ? MASK : shownValue(value), errors };
  return resultOf(key, text, expanded ? key.type.parseText(text) : key.type.parse(text), fromFile);
}

/** Parses a list whose elements may have references. The key's type decides whether a list is accepted. */
function parseFileList(key: Key, values: readonly unknown[], environment: Environment): ValueResult {
  const errors: ParseError[] = [];
  let fromFile = false;
  const expanded = values.map((value) => {
    if (typeof value !== "string") return value;
    const expansion = expand(value, (name) => lookUp(environment, name), key.secret);
    errors.push(...expansion.errors);
    fromFile ||= expansion.fromFile;
    return expansion.text;
  });
  if (errors.length > 0) return { shown: key.secret ? MASK : shownValue(values), errors };
  return resultOf(key, expanded, key.type.parse(expanded), fromFile);
}

/**
 * The result of parsing `value`. A wrong value is masked if the key is secret, or if it comes from a file, which may
 * be the wrong one and hold a password.
 */
export function resultOf(key: Key, value: unknown, parsed: Parsed<unknown>, fromFile = false): ValueResult {
  if ("value" in parsed) return parsed;
  return { shown: key.secret || fromFile ? MASK : shownValue(value), errors: [parsed] };
}
