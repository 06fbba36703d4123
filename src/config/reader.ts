/** The one reader: a file, the environment and flags become the value of every key, or problems. */
import type { Fault, Problem } from "./config_error.ts";
import { type Environment, lookUp } from "./environment.ts";
import { expand } from "./expand.ts";
import { readTree } from "./file_source.ts";
import type { Reading } from "./kind.ts";
import { type Override, readOverrides } from "./override_source.ts";
import { type Key, KEYS, type Path, PATHS } from "./schema.ts";
import { type Setting, type Settings, settingsOf } from "./settings.ts";
import { MASK, shownValue } from "./shown_value.ts";

/** Where a configuration comes from, the last word last. */
export interface Sources {
  /** The file's name, for problems. */
  readonly file: string;
  /** The file's content as YAML has it; undefined for an empty file. */
  readonly tree: unknown;
  readonly environment: Environment;
  /** Values by path, as an operator types them. */
  readonly flags: ReadonlyMap<string, string>;
}

/** The settings, and all that is wrong with them; a key with a problem is at its default, under its own origin. */
export function readSettings(sources: Sources): { settings: Settings; problems: readonly Problem[] } {
  const { values, problems: fileProblems } = readTree(sources.tree, sources.file);
  const { overrides, problems: overrideProblems } = readOverrides(sources.environment, sources.flags);
  const problems = [...fileProblems, ...overrideProblems];
  const read = new Map<Path, Setting<unknown>>();
  for (const path of PATHS) {
    const override = overrides.get(path);
    if (override === undefined && !values.has(path)) continue;
    const answer = override === undefined
      ? readFileValue(KEYS[path], values.get(path), sources.environment)
      : readOverride(KEYS[path], override);
    const origin = override?.origin ?? "file";
    if ("value" in answer) {
      read.set(path, { value: answer.value, origin });
      continue;
    }
    read.set(path, { value: KEYS[path].default, origin });
    const where = origin === "file" ? { path } : { path, origin };
    problems.push(...answer.faults.map((fault) => ({ ...where, value: answer.shown, ...fault })));
  }
  return { settings: settingsOf(read), problems };
}

/** A value, or what is wrong with it and how it may be shown. */
type Answer = { readonly value: unknown } | { readonly shown: string; readonly faults: readonly Fault[] };

function readOverride(key: Key<unknown>, { text, fromFile }: Override): Answer {
  return answerOf(key, text, key.kind.readText(text), fromFile);
}

/** Text without a reference is read as YAML has it; one with a reference may also stand for a number. */
function readFileValue(key: Key<unknown>, value: unknown, environment: Environment): Answer {
  if (typeof value !== "string") return answerOf(key, value, key.kind.read(value));
  const { text, expanded, fromFile, faults } = expand(value, (name) => lookUp(environment, name), key.secret);
  if (faults.length > 0) return { shown: key.secret ? MASK : shownValue(value), faults };
  return answerOf(key, text, expanded ? key.kind.readText(text) : key.kind.read(text), fromFile);
}

/** What came out of a file and is wrong is not shown under any key: it may be the wrong file, with a password. */
function answerOf(key: Key<unknown>, value: unknown, reading: Reading<unknown>, fromFile = false): Answer {
  if ("value" in reading) return reading;
  return { shown: key.secret || fromFile ? MASK : shownValue(value), faults: [reading] };
}
