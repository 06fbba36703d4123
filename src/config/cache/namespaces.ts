/** The options of namespaces and secrets: `cache.defaults`, `cache.namespaces` and `cache.secrets`. */
import type { Violation } from "../../core/errors.ts";
import { checkText, NAMESPACE_LIMIT } from "../../core/limits.ts";
import type { Problem } from "../config_error.ts";
import { formatted, type Key, key } from "../key.ts";
import { listed, type Setting, type SettingsOf, settingsOf, type ValuesOf, whereFrom } from "../settings.ts";
import { shownValue } from "../shown_value.ts";
import type { Environment } from "../sources/environment.ts";
import { parseFileValue } from "../sources/file_value.ts";
import { notAMapping, unknownName } from "../sources/unknown_name.ts";
import { durationOrNever, durationOrZero, fraction } from "../value_type.ts";

/** The longest time to live that Set accepts, which is the longest google.protobuf.Duration. */
const MAX_TTL_MS = 315_576_000_000_000;

/** The options of all namespaces; below `cache.namespaces.NAME` the same names are the options of one. */
export const NAMESPACE_KEYS = {
  defaultTtlMs: key(
    "cache.defaults.default_ttl",
    durationOrNever(MAX_TTL_MS),
    Infinity,
    "The time to live of a value whose Set has no expire. 0: for ever.",
  ),
  maxTtlMs: key(
    "cache.defaults.max_ttl",
    durationOrNever(MAX_TTL_MS),
    Infinity,
    "The longest time to live of a value. A longer expire is cut to it. 0: no limit.",
  ),
  jitter: key(
    "cache.defaults.jitter",
    fraction(),
    0,
    "The largest share that Set takes off expire at random, and that local memory takes off the time of each copy.",
  ),
  localTtlMs: key(
    "cache.defaults.local_ttl",
    durationOrNever(),
    Infinity,
    "How long local memory keeps a copy before it reads it again. 0: as long as the value lives.",
  ),
  negativeTtlMs: key(
    "cache.defaults.negative_ttl",
    durationOrZero(),
    0,
    "How long local memory remembers that a key does not exist. 0ms: not at all.",
  ),
  refreshAhead: key(
    "cache.defaults.refresh_ahead",
    fraction(),
    0,
    "From this share of local_ttl on, a Get answers from the copy and renews it in the background. 0: never.",
  ),
};

/** The options of secrets, which have no time to live of their own. */
export const SECRET_KEYS = {
  jitter: forSecrets("cache.secrets.jitter", NAMESPACE_KEYS.jitter),
  localTtlMs: forSecrets("cache.secrets.local_ttl", NAMESPACE_KEYS.localTtlMs),
  negativeTtlMs: forSecrets("cache.secrets.negative_ttl", NAMESPACE_KEYS.negativeTtlMs),
  refreshAhead: forSecrets("cache.secrets.refresh_ahead", NAMESPACE_KEYS.refreshAhead),
};

function forSecrets(path: string, like: Key<number>): Key<number> {
  return { ...like, path, meaning: `As ${like.path}, for the copies of secrets in local memory.` };
}

/** The section in which each name is a namespace's. */
export const NAMESPACES = "cache.namespaces";

export type NamespaceConfig = ValuesOf<typeof NAMESPACE_KEYS>;

type Options = SettingsOf<typeof NAMESPACE_KEYS>;
type CopyOptions = SettingsOf<typeof SECRET_KEYS>;

/** The options of one namespace. */
export interface NamespaceSettings {
  readonly name: string;
  readonly options: Options;
}

/** The options that the file sets for one namespace, by the keys of the defaults. */
export type OwnOptions = ReadonlyMap<Key, number>;

/** The name of an option: the last part of its path. */
export function optionName({ path }: Key): string {
  return path.slice(path.lastIndexOf(".") + 1);
}

const OPTIONS = new Map(Object.values(NAMESPACE_KEYS).map((key) => [optionName(key), key]));
const OPTION_NAMES = [...OPTIONS.keys()];

/** Reads the file's section `cache.namespaces`; an option with a problem counts as not set. */
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
        wrong: "is not a name of a namespace",
        accepted: `1 to ${NAMESPACE_LIMIT.max} bytes without control characters`,
      });
    }
    if (isMapping(value)) namespaces.set(name, readOptions(path, value));
    else problems.push({ path, ...notAMapping(value, `the keys ${OPTION_NAMES.join(", ")}`) });
  }
  return { namespaces, problems };

  function readOptions(section: string, values: object): OwnOptions {
    const options = new Map<Key, number>();
    for (const [name, value] of Object.entries(values)) {
      const path = `${section}.${name}`;
      const key = OPTIONS.get(name);
      if (key === undefined) {
        problems.push(unknownName(section, name, path, OPTION_NAMES));
        continue;
      }
      const parsed = parseFileValue(key, value, environment);
      if ("value" in parsed) options.set(key, parsed.value as number);
      else problems.push(...parsed.errors.map((error) => ({ path, value: parsed.shown, ...error })));
    }
    return options;
  }
}

/** The path of a namespace's section, as problems show it. */
function namespacePath(name: string): string {
  return NAMESPACES + (/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/.test(name) ? `.${name}` : `[${shownValue(name)}]`);
}

function isMapping(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The options of each namespace: its own, and the defaults for the rest. */
export function inheritedOptions(
  namespaces: ReadonlyMap<string, OwnOptions>,
  defaults: Options,
): readonly NamespaceSettings[] {
  const inherited = new Map(listed(defaults).map((setting) => [setting.key, setting]));
  return [...namespaces].map(([name, own]) => {
    const options = settingsOf(NAMESPACE_KEYS, (key) => {
      const value = own.get(key);
      if (value !== undefined) return { key, value, origin: "file" };
      const setting = inherited.get(key)!;
      return { ...setting, origin: setting.origin === "default" ? "default" : key.path };
    });
    const maxTtlPath = `${namespacePath(name)}.${optionName(NAMESPACE_KEYS.maxTtlMs)}`;
    return {
      name,
      options: own.has(NAMESPACE_KEYS.defaultTtlMs) ? options : withinMaxTtl(options, maxTtlPath),
    };
  });
}

/** The options of `cache.defaults`; a default TTL that is not set is at most the largest one. */
export function withDefaultTtl(defaults: Options, limitedBy: string): Options {
  return defaults.defaultTtlMs.origin === "default" ? withinMaxTtl(defaults, limitedBy) : defaults;
}

function withinMaxTtl(options: Options, origin: string): Options {
  const { defaultTtlMs, maxTtlMs } = options;
  if (defaultTtlMs.value <= maxTtlMs.value) return options;
  return { ...options, defaultTtlMs: { ...defaultTtlMs, value: maxTtlMs.value, origin } };
}

/** What is wrong with options that contradict each other, named where one of them is set. */
export function optionProblems(
  { defaults, secrets, namespaces }: {
    readonly defaults: Options;
    readonly secrets: CopyOptions;
    readonly namespaces: readonly NamespaceSettings[];
  },
  isMemoryDisabled: boolean,
): readonly Problem[] {
  const isSet = ({ origin }: Setting) => origin !== "default";
  const isOwn = ({ origin }: Setting) => origin === "file";
  return [
    ...ttlProblems("cache.defaults", defaults),
    ...refreshProblems("cache.defaults", defaults, isSet, isMemoryDisabled),
    ...refreshProblems("cache.secrets", secrets, isSet, isMemoryDisabled),
    ...namespaces.flatMap(({ name, options }) => [
      ...ttlProblems(namespacePath(name), options),
      ...refreshProblems(namespacePath(name), options, isOwn, isMemoryDisabled),
    ]),
  ];
}

function ttlProblems(section: string, { defaultTtlMs, maxTtlMs }: Options): Problem[] {
  if (defaultTtlMs.value <= maxTtlMs.value) return [];
  return [{
    ...problemOf(section, defaultTtlMs),
    wrong: "is longer than a value may live",
    accepted: `at most ${section}.max_ttl, which is ${formatted(maxTtlMs.key, maxTtlMs.value)}`,
  }];
}

function refreshProblems(
  section: string,
  { refreshAhead, localTtlMs }: CopyOptions,
  isSet: (option: Setting) => boolean,
  isMemoryDisabled: boolean,
): Problem[] {
  if (refreshAhead.value === 0) return [];
  const problem = problemOf(section, refreshAhead);
  const problems: Problem[] = [];
  if (localTtlMs.value === Infinity && (isSet(refreshAhead) || isSet(localTtlMs))) {
    problems.push({
      ...problem,
      wrong: "renews nothing, as copies last as long as the value",
      accepted: `${section}.local_ttl beside it, or 0`,
    });
  }
  if (isMemoryDisabled && isSet(refreshAhead)) {
    problems.push({
      ...problem,
      wrong: "renews nothing, as cache.local.disabled is true",
      accepted: "local memory in use, or 0",
    });
  }
  return problems;
}

function problemOf(section: string, setting: Setting): { path: string; origin?: string; value: string } {
  const { key, value } = setting;
  return { path: `${section}.${optionName(key)}`, ...whereFrom(setting), value: formatted(key, value) };
}
