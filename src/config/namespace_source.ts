/** What the file says below `cache.namespaces`: options by the names of namespaces. */
import type { Violation } from "../core/errors.ts";
import { checkText, NAMESPACE_LIMIT } from "../core/limits.ts";
import type { Problem } from "./config_error.ts";
import type { Environment } from "./environment.ts";
import { readFileValue } from "./file_value.ts";
import {
  isNamespaceOption,
  NAMESPACE_KEYS,
  NAMESPACE_OPTIONS,
  type NamespaceOption,
} from "./namespace_keys.ts";
import { NAMESPACES } from "./schema.ts";
import { shownValue } from "./shown_value.ts";
import { notAMapping, unknownName } from "./unknown_name.ts";

/** The options that the file sets for one namespace. */
export type OwnOptions = ReadonlyMap<NamespaceOption, number>;

/** The path of a namespace's section, or of an option in it, as problems name it. */
export function namespacePath(name: string, option?: NamespaceOption): `cache.namespaces${string}` {
  const at = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/.test(name) ? `.${name}` : `[${shownValue(name)}]`;
  return `${NAMESPACES}${at}${option === undefined ? "" : `.${option}`}`;
}

/** Reads the section; an option with a problem counts as not set. */
export function readNamespaces(
  section: unknown,
  environment: Environment,
): { namespaces: ReadonlyMap<string, OwnOptions>; problems: readonly Problem[] } {
  const namespaces = new Map<string, OwnOptions>();
  const problems: Problem[] = [];
  if (section === undefined) return { namespaces, problems };
  if (!isMapping(section)) {
    problems.push({ path: NAMESPACES, ...notAMapping(section, "the names of namespaces") });
    return { namespaces, problems };
  }
  for (const [name, value] of Object.entries(section)) {
    const path = namespacePath(name);
    const violations: Violation[] = [];
    checkText(violations, path, name, NAMESPACE_LIMIT);
    if (violations.length > 0) {
      problems.push({
        path,
        wrong: "is no namespace",
        accepted: `a name of 1 to ${NAMESPACE_LIMIT.max} bytes without control characters`,
      });
    }
    if (isMapping(value)) namespaces.set(name, readOptions(name, value));
    else problems.push({ path, ...notAMapping(value, `the keys ${NAMESPACE_OPTIONS.join(", ")}`) });
  }
  return { namespaces, problems };

  function readOptions(name: string, section: object): OwnOptions {
    const options = new Map<NamespaceOption, number>();
    for (const [option, value] of Object.entries(section)) {
      if (!isNamespaceOption(option)) {
        const section = namespacePath(name);
        problems.push(unknownName(section, option, `${section}.${option}`, NAMESPACE_OPTIONS));
        continue;
      }
      const path = namespacePath(name, option);
      const answer = readFileValue(NAMESPACE_KEYS[option], value, environment);
      if ("value" in answer) options.set(option, answer.value as number);
      else problems.push(...answer.faults.map((fault) => ({ path, value: answer.shown, ...fault })));
    }
    return options;
  }
}

function isMapping(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
