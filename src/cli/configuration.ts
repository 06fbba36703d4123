import { loadConfig, type LoadedConfig } from "../config/load.ts";
import { FILE_VARIABLE } from "../config/sources/override_source.ts";
import { type ConfigArguments, parseConfigArguments } from "./arguments.ts";

/** The configuration that runs when none is named: no servers, local memory and SQLite. */
const EMBEDDED = new URL("../../configs/config.embedded.yaml", import.meta.url);

/** What it is called: in an executable, its path is one that exists nowhere else. */
const EMBEDDED_TITLE = "the embedded profile, which is built in";

/** Loads what the command line names, else what CACHESERVER_CONFIG names, else the embedded configuration. */
export function loadNamedConfig(args: readonly string[]): LoadedConfig {
  return loadConfigOf(parseConfigArguments(args));
}

/** The same for a command line that has been read. */
export function loadConfigOf({ path, overrides }: ConfigArguments): LoadedConfig {
  if (path !== undefined) return loadConfig({ path, overrides });
  const named = Deno.env.get(FILE_VARIABLE);
  if (named !== undefined) return loadConfig({ path: named, pathOrigin: FILE_VARIABLE, overrides });
  return loadConfig({ path: decodeURIComponent(EMBEDDED.pathname), title: EMBEDDED_TITLE, overrides });
}
