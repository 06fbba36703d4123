/** Loads configurations from text, so that no test needs a file or the process's environment. */
import { assertThrows } from "@std/assert";
import { ConfigError } from "../../../src/config/config_error.ts";
import type { Environment } from "../../../src/config/sources/environment.ts";
import { loadConfig, type LoadedConfig } from "../../../src/config/load.ts";

/** What overrides the file. */
export interface Above {
  readonly variables?: Readonly<Record<string, string>>;
  readonly flags?: Readonly<Record<string, string>>;
}

/** An environment that holds these variables and may be listed. */
export function environmentOf(variables: Readonly<Record<string, string>>): Environment {
  return { get: (name) => variables[name], names: () => Object.keys(variables) };
}

/** Loads `yaml` as the file `test.yaml`. */
export function load(yaml: string, { variables = {}, flags = {} }: Above = {}): LoadedConfig {
  return loadConfig({
    path: "test.yaml",
    env: environmentOf(variables),
    overrides: new Map(Object.entries(flags)),
    readFile: () => yaml,
  });
}

/** The lines of the error from loading `yaml`. */
export function problemLines(yaml: string, above: Above = {}): readonly string[] {
  return assertThrows(() => load(yaml, above), ConfigError).message.split("\n");
}

/** The embedded profile in one line; text that is added must not repeat its sections. */
export const EMBEDDED = "data: { database: { driver: sqlite, source: test.db } }\n";
