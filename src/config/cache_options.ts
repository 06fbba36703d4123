/** The options of namespaces and secrets as they are used: with what is inherited, and what follows from others. */
import type { NamespaceConfig } from "./config.ts";
import type { CopyPolicy } from "../core/policies.ts";
import type { Problem } from "./config_error.ts";
import {
  type CopyOption,
  formattedOption,
  NAMESPACE_OPTIONS,
  type NamespaceOption,
} from "./namespace_keys.ts";
import { namespacePath, type OwnOptions } from "./namespace_source.ts";
import type { Origin, Setting, Settings } from "./settings.ts";

/** The value of every option, and where each came from. */
export type Options = { readonly [O in NamespaceOption]: Setting<number> };

/** The options of one namespace. */
export interface NamespaceSettings {
  readonly name: string;
  readonly options: Options;
}

/** The options of namespaces that have none of their own. */
export function defaultOptions(settings: Settings): Options {
  const options = fromEntries((option) => settings[`cache.defaults.${option}`]);
  return options.default_ttl.origin === "default" ? withinLimit(options, "cache.defaults.max_ttl") : options;
}

/** The options of each namespace that has some of its own: those, and the defaults for the rest. */
export function namespaceSettings(
  namespaces: ReadonlyMap<string, OwnOptions>,
  settings: Settings,
): readonly NamespaceSettings[] {
  return [...namespaces].map(([name, own]) => {
    const options = fromEntries((option) => {
      const value = own.get(option);
      if (value !== undefined) return { value, origin: "file" };
      const path = `cache.defaults.${option}` as const;
      return { value: settings[path].value, origin: settings[path].origin === "default" ? "default" : path };
    });
    return {
      name,
      options: own.has("default_ttl") ? options : withinLimit(options, namespacePath(name, "max_ttl")),
    };
  });
}

/** What is wrong with options that do not go together, named where somebody has set one of them. */
export function optionProblems(
  settings: Settings,
  namespaces: ReadonlyMap<string, OwnOptions>,
): readonly Problem[] {
  const isSet = (section: "cache.defaults" | "cache.secrets") => (option: CopyOption) =>
    settings[`${section}.${option}`].origin !== "default";
  const isDisabled = settings["cache.local.disabled"].value;
  const defaults = defaultOptions(settings);
  return [
    ...ttlProblems("cache.defaults", defaults),
    ...refreshProblems("cache.defaults", defaults, isSet("cache.defaults"), isDisabled),
    ...refreshProblems("cache.secrets", secretOptions(settings), isSet("cache.secrets"), isDisabled),
    ...namespaceSettings(namespaces, settings).flatMap(({ name, options }) => [
      ...ttlProblems(namespacePath(name), options),
      ...refreshProblems(
        namespacePath(name),
        options,
        (option) => namespaces.get(name)!.has(option),
        isDisabled,
      ),
    ]),
  ];
}

/** Options as the configuration has them. */
export function namespaceConfig(options: Options): NamespaceConfig {
  return {
    ...copyConfig(options),
    defaultTtlMs: options.default_ttl.value,
    maxTtlMs: options.max_ttl.value,
  };
}

/** The options of secrets as the configuration has them. */
export function secretConfig(settings: Settings): CopyPolicy {
  return copyConfig(secretOptions(settings));
}

function copyConfig(options: Pick<Options, CopyOption>): CopyPolicy {
  return {
    jitter: options.jitter.value,
    localTtlMs: options.local_ttl.value,
    negativeTtlMs: options.negative_ttl.value,
    refreshAhead: options.refresh_ahead.value,
  };
}

function secretOptions(settings: Settings): Pick<Options, CopyOption> {
  return {
    jitter: settings["cache.secrets.jitter"],
    local_ttl: settings["cache.secrets.local_ttl"],
    negative_ttl: settings["cache.secrets.negative_ttl"],
    refresh_ahead: settings["cache.secrets.refresh_ahead"],
  };
}

/** A default that nobody has set for just these values is cut to the longest that they may live. */
function withinLimit(options: Options, limitedBy: Origin): Options {
  const { default_ttl: byDefault, max_ttl: limit } = options;
  if (byDefault.value <= limit.value) return options;
  return { ...options, default_ttl: { value: limit.value, origin: limitedBy } };
}

function ttlProblems(section: string, { default_ttl: byDefault, max_ttl: limit }: Options): Problem[] {
  if (byDefault.value <= limit.value) return [];
  return [{
    path: `${section}.default_ttl`,
    ...whereFrom(byDefault),
    value: formattedOption("default_ttl", byDefault.value),
    wrong: "is longer than a value may live",
    accepted: `at most ${section}.max_ttl, which is ${formattedOption("max_ttl", limit.value)}`,
  }];
}

function refreshProblems(
  section: string,
  options: Pick<Options, CopyOption>,
  isSet: (option: CopyOption) => boolean,
  isDisabled: boolean,
): Problem[] {
  const { refresh_ahead: refresh, local_ttl: localTtl } = options;
  if (refresh.value === 0) return [];
  const problem = {
    path: `${section}.refresh_ahead`,
    ...whereFrom(refresh),
    value: formattedOption("refresh_ahead", refresh.value),
  };
  const problems: Problem[] = [];
  if (localTtl.value === Infinity && (isSet("refresh_ahead") || isSet("local_ttl"))) {
    problems.push({
      ...problem,
      wrong: "renews nothing, as copies last as long as the value",
      accepted: `${section}.local_ttl beside it, or 0`,
    });
  }
  if (isDisabled && isSet("refresh_ahead")) {
    problems.push({
      ...problem,
      wrong: "renews nothing, as cache.local.disabled is true",
      accepted: "local memory in use, or 0",
    });
  }
  return problems;
}

function whereFrom({ origin }: Setting<number>): { readonly origin?: Origin } {
  return origin === "file" ? {} : { origin };
}

function fromEntries(settingOf: (option: NamespaceOption) => Setting<number>): Options {
  return Object.fromEntries(NAMESPACE_OPTIONS.map((option) => [option, settingOf(option)])) as Options;
}
