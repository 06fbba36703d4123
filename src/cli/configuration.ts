import { loadConfig, type LoadedConfig } from "../config/load.ts";
import { type ConfigArguments, parseConfigArguments } from "./arguments.ts";

/** The configuration that runs when none is named: no servers, local memory and SQLite. */
const EMBEDDED = new URL("../../configs/config.embedded.yaml", import.meta.url);

/** Loads what the command line names, else what CACHESERVER_CONFIG names, else the embedded configuration. */
export function loadNamedConfig(args: readonly string[]): LoadedConfig {
  return loadConfigOf(parseConfigArguments(args));
}

/** The same for a command line that has been read. */
export function loadConfigOf({ path, overrides }: ConfigArguments): LoadedConfig {
  const named = path ?? Deno.env.get("CACHESERVER_CONFIG");
  return loadConfig({ path: named ?? decodeURIComponent(EMBEDDED.pathname), overrides });
}
