/** Reads a file, the environment and flags into the value of every key, or problems. */
import { type OwnOptions, readNamespaces } from "./cache/namespaces.ts";
import type { Problem } from "./config_error.ts";
import type { Key } from "./key.ts";
import { KEYS, type Settings } from "./schema.ts";
import { type Setting, settingsOf } from "./settings.ts";
import type { Environment } from "./sources/environment.ts";
import { readTree } from "./sources/file_source.ts";
import { parseFileValue, resultOf } from "./sources/file_value.ts";
import { readOverrides } from "./sources/override_source.ts";

/** Where a configuration comes from. A flag overrides a variable, which overrides the file. */
export interface Sources {
  /** The file's name, for problems. */
  readonly file: string;
  /** The file's content as YAML has it; undefined for an empty file. */
  readonly tree: unknown;
  readonly environment: Environment;
  /** Values by path, as an operator types them. */
  readonly flags: ReadonlyMap<string, string>;
}

/** What was read from the sources. */
export interface ReadSettings {
  /** A key with a problem has its default, and the origin of its wrong value. */
  readonly settings: Settings;
  /** The options of namespaces by their names, which only the file sets. */
  readonly namespaces: ReadonlyMap<string, OwnOptions>;
  readonly problems: readonly Problem[];
}

/** Reads the settings, and reports every problem in them. */
export function readSettings({ file, tree, environment, flags }: Sources): ReadSettings {
  const { values, namespaces: section, problems: fileProblems } = readTree(tree, file);
  const { overrides, problems: overrideProblems } = readOverrides(environment, flags);
  const problems = [...fileProblems, ...overrideProblems];
  const settings = settingsOf(KEYS, readSetting);
  const { namespaces, problems: namespaceProblems } = readNamespaces(section, environment);
  return { settings, namespaces, problems: [...problems, ...namespaceProblems] };

  function readSetting(key: Key): Setting {
    const { path } = key;
    const override = overrides.get(path);
    if (override === undefined && !values.has(path)) return { key, value: key.default, origin: "default" };
    const result = override === undefined
      ? parseFileValue(key, values.get(path), environment)
      : resultOf(key, override.text, key.type.parseText(override.text), override.fromFile);
    const origin = override?.origin ?? "file";
    if ("value" in result) return { key, value: result.value, origin };
    const where = override === undefined ? { path } : { path, origin };
    problems.push(...result.errors.map((error) => ({ ...where, value: result.shown, ...error })));
    return { key, value: key.default, origin };
  }
}
