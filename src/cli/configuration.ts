import { loadConfig, type LoadedConfig } from "../config/load.ts";
import { parseConfigArguments } from "./arguments.ts";

/** The configuration that runs when none is named: no servers, local memory and SQLite. */
const EMBEDDED = new URL("../../configs/config.embedded.yaml", import.meta.url);

/** Loads what the command line names, else what CACHESERVER_CONFIG names, else the embedded configuration. */
export function loadNamedConfig(args: readonly string[]): LoadedConfig {
  const { path, overrides } = parseConfigArguments(args);
  const named = path ?? Deno.env.get("CACHESERVER_CONFIG");
  return loadConfig({ path: named ?? decodeURIComponent(EMBEDDED.pathname), overrides });
}
