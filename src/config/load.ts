/** The entry point of this folder: from a file's path to a configuration. */
import { resolve } from "node:path";
import { assemble, type Config } from "./config.ts";
import { ConfigError } from "./config_error.ts";
import { describeSettings } from "./describe.ts";
import { readSettings } from "./reader.ts";
import { type Environment, processEnvironment } from "./sources/environment.ts";
import { parseYaml } from "./sources/yaml.ts";

/** What to load, and from where. */
export interface LoadOptions {
  /** The YAML file. */
  readonly path: string;
  /** The name to show instead of the path, for a file that is part of the program. */
  readonly title?: string;
  /** The variable that names the file, if one does. */
  readonly pathOrigin?: string | undefined;
  /** The process's environment by default. */
  readonly env?: Environment;
  /** Values by path that override all others: `data.redis.addr` to `127.0.0.1:6380`. */
  readonly overrides?: ReadonlyMap<string, string>;
  /** The file system by default. */
  readonly readFile?: (path: string) => string;
}

/** A loaded configuration. */
export interface LoadedConfig {
  /** Frozen to its leaves. */
  readonly config: Config;
  /** The absolute path of the file, or its title. */
  readonly name: string;
  /** Every key in force as YAML text, with its origin as a comment; secrets are masked. */
  describe(): string;
}

/** Loads and checks a configuration. Throws one ConfigError with all its problems. */
export function loadConfig(options: LoadOptions): LoadedConfig {
  const { path, env = processEnvironment, overrides = new Map(), readFile = Deno.readTextFileSync } = options;
  const tree = parseYaml(readText(options, readFile), path);
  const read = readSettings({ file: path, tree, environment: env, flags: overrides });
  const { config, problems, settings, namespaces } = assemble(read.settings, read.namespaces);
  if (config === undefined || read.problems.length > 0) {
    throw new ConfigError([...read.problems, ...problems]);
  }
  const name = options.title ?? resolve(path);
  return {
    config: deepFreeze(config),
    name,
    describe: () => `# ${name}\n${describeSettings(settings, namespaces)}`,
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
