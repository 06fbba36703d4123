/** The one reader: a file, the environment and flags become the value of every key, or problems. */
import type { Problem } from "./config_error.ts";
import type { Environment } from "./environment.ts";
import { readTree } from "./file_source.ts";
import { type Answer, answerOf, readFileValue } from "./file_value.ts";
import type { Key } from "./key.ts";
import { type OwnOptions, readNamespaces } from "./namespace_source.ts";
import { type Override, readOverrides } from "./override_source.ts";
import { KEYS, type Path, PATHS } from "./schema.ts";
import { type Setting, type Settings, settingsOf } from "./settings.ts";

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

/** What the sources say. */
export interface Readings {
  /** A key with a problem is at its default, under its own origin. */
  readonly settings: Settings;
  /** The options of namespaces by their names, which only the file sets. */
  readonly namespaces: ReadonlyMap<string, OwnOptions>;
  readonly problems: readonly Problem[];
}

/** The settings, and all that is wrong with them. */
export function readSettings(sources: Sources): Readings {
  const { values, namespaces: section, problems: fileProblems } = readTree(sources.tree, sources.file);
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
  const { namespaces, problems: namespaceProblems } = readNamespaces(section, sources.environment);
  return { settings: settingsOf(read), namespaces, problems: [...problems, ...namespaceProblems] };
}

function readOverride(key: Key<unknown>, { text, fromFile }: Override): Answer {
  return answerOf(key, text, key.kind.readText(text), fromFile);
}
