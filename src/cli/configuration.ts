import { loadConfig, type LoadedConfig } from "../config/load.ts";
import { FILE_VARIABLE } from "../config/sources/override_source.ts";
import { type ConfigArguments, parseConfigArguments } from "./arguments.ts";

/** The default configuration: no servers, local memory and SQLite. */
const EMBEDDED = new URL("../../configs/config.embedded.yaml", import.meta.url);

/** Its name for operators: in an executable its path exists nowhere else. */
const EMBEDDED_TITLE = "the embedded profile, which is built in";

/** Loads the file of the command line, else of CACHESERVER_CONFIG, else the embedded configuration. */
export function loadNamedConfig(args: readonly string[]): LoadedConfig {
  return loadConfigOf(parseConfigArguments(args));
}

/** The same for a parsed command line. */
export function loadConfigOf({ path, overrides }: ConfigArguments): LoadedConfig {
  if (path !== undefined) return loadConfig({ path, overrides });
  const named = Deno.env.get(FILE_VARIABLE);
  if (named !== undefined) return loadConfig({ path: named, pathOrigin: FILE_VARIABLE, overrides });
  return loadConfig({ path: decodeURIComponent(EMBEDDED.pathname), title: EMBEDDED_TITLE, overrides });
}
