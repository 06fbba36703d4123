/** The door to this folder: a file's path in, a configuration that may be used out. */
import { resolve } from "node:path";
import { assemble } from "./assembly.ts";
import type { Config } from "./config.ts";
import { ConfigError } from "./config_error.ts";
import { describeSettings } from "./describe.ts";
import { type Environment, processEnvironment } from "./environment.ts";
import { readSettings } from "./reader.ts";
import { parseYaml } from "./yaml.ts";

/** What to load, and through what. */
export interface LoadOptions {
  /** The YAML file. */
  readonly path: string;
  /** What the file is called where its path says nothing: it is a part of the program. */
  readonly title?: string;
  /** The variable that names it; undefined where no variable does. */
  readonly pathOrigin?: string | undefined;
  /** The process's environment by default. */
  readonly env?: Environment;
  /** Values by path that stand above all others: `data.redis.addr` to `127.0.0.1:6380`. */
  readonly overrides?: ReadonlyMap<string, string>;
  /** The file system by default. */
  readonly readFile?: (path: string) => string;
}

/** A configuration, and its account of itself. */
export interface LoadedConfig {
  /** Frozen to its leaves. */
  readonly config: Config;
  /** The absolute path of the file, or its title. */
  readonly name: string;
  /** Every key in force as YAML text, with its origin as a comment; secrets are masked. */
  describe(): string;
}

/** Loads and checks a configuration. Throws one ConfigError that holds everything wrong with it. */
export function loadConfig(options: LoadOptions): LoadedConfig {
  const { path, env = processEnvironment, overrides = new Map(), readFile = Deno.readTextFileSync } = options;
  const tree = parseYaml(readText(options, readFile), path);
  const read = readSettings({ file: path, tree, environment: env, flags: overrides });
  const { config, problems, settings, namespaces, maskedSource } = assemble(read.settings, read.namespaces);
  if (config === undefined || read.problems.length > 0) {
    throw new ConfigError([...read.problems, ...problems]);
  }
  const name = options.title ?? resolve(path);
  return {
    config: deepFreeze(config),
    name,
    describe: () => `# ${name}\n${describeSettings({ settings, namespaces, maskedSource })}`,
  };
}

function readText({ path, pathOrigin }: LoadOptions, readFile: (path: string) => string): string {
  try {
    return readFile(path);
  } catch (error) {
    const origin = pathOrigin === undefined ? {} : { origin: pathOrigin };
    throw new ConfigError([{ path: path || '""', ...origin, ...unreadable(error, path) }]);
  }
}

function unreadable(error: unknown, path: string): { wrong: string; accepted: string } {
  if (path === "" || error instanceof Deno.errors.NotFound) {
    return { wrong: "does not exist", accepted: "the path of a YAML file" };
  }
  if (error instanceof Deno.errors.NotCapable) {
    return { wrong: "may not be read by this process", accepted: `to be started with --allow-read=${path}` };
  }
  const reason = error instanceof Error ? error.message : String(error);
  return { wrong: `cannot be read (${reason})`, accepted: "a YAML file that this user may read" };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(deepFreeze);
  return value;
}
