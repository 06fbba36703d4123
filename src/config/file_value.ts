/** One value as the file has it, its references replaced. */
import type { Fault } from "./config_error.ts";
import { type Environment, lookUp } from "./environment.ts";
import { expand } from "./expand.ts";
import type { Key } from "./key.ts";
import type { Reading } from "./kind.ts";
import { MASK, shownValue } from "./shown_value.ts";

/** A value, or what is wrong with it and how it may be shown. */
export type Answer = { readonly value: unknown } | {
  readonly shown: string;
  readonly faults: readonly Fault[];
};

/** Text without a reference is read as YAML has it; one with a reference may also stand for a number. */
export function readFileValue(key: Key<unknown>, value: unknown, environment: Environment): Answer {
  if (Array.isArray(value)) return readFileList(key, value, environment);
  if (typeof value !== "string") return answerOf(key, value, key.kind.read(value));
  const { text, expanded, fromFile, faults } = expand(value, (name) => lookUp(environment, name), key.secret);
  if (faults.length > 0) return { shown: key.secret ? MASK : shownValue(value), faults };
  return answerOf(key, text, expanded ? key.kind.readText(text) : key.kind.read(text), fromFile);
}

/** A list whose elements may have references; whether the key takes a list at all is its kind's affair. */
function readFileList(key: Key<unknown>, values: readonly unknown[], environment: Environment): Answer {
  const faults: Fault[] = [];
  let fromFile = false;
  const expanded = values.map((value) => {
    if (typeof value !== "string") return value;
    const expansion = expand(value, (name) => lookUp(environment, name), key.secret);
    faults.push(...expansion.faults);
    fromFile ||= expansion.fromFile;
    return expansion.text;
  });
  if (faults.length > 0) return { shown: key.secret ? MASK : shownValue(values), faults };
  return answerOf(key, expanded, key.kind.read(expanded), fromFile);
}

/**
 * What came of reading `value`, which is masked where the key is secret. What came out of a file and is wrong is not
 * shown under any key: it may be the wrong file, with a password.
 */
export function answerOf(
  key: Key<unknown>,
  value: unknown,
  reading: Reading<unknown>,
  fromFile = false,
): Answer {
  if ("value" in reading) return reading;
  return { shown: key.secret || fromFile ? MASK : shownValue(value), faults: [reading] };
}
