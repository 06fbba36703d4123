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
  if (typeof value !== "string") return answerOf(key, value, key.kind.read(value));
  const { text, expanded, faults } = expand(value, (name) => lookUp(environment, name), key.secret);
  if (faults.length > 0) return { shown: key.secret ? MASK : shownValue(value), faults };
  return answerOf(key, text, expanded ? key.kind.readText(text) : key.kind.read(text));
}

/** What came of reading `value`, which is masked where the key is secret. */
export function answerOf(key: Key<unknown>, value: unknown, reading: Reading<unknown>): Answer {
  return "value" in reading ? reading : { shown: key.secret ? MASK : shownValue(value), faults: [reading] };
}
