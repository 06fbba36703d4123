/** All keys of the configuration, by section and by path. Each section's file declares its own. */
import { CACHE_KEYS } from "./cache/cache.ts";
import { NAMESPACES } from "./cache/namespaces.ts";
import { DATABASE_KEYS } from "./data/database.ts";
import { REDIS_KEYS } from "./data/redis.ts";
import { type Key, keysOf } from "./key.ts";
import { LOG_KEYS } from "./log.ts";
import { SERVER_KEYS } from "./server.ts";
import type { SettingsOf } from "./settings.ts";

/** The keys in the order in which `check` and configs/README.md show them. */
export const KEYS = {
  server: SERVER_KEYS,
  data: { database: DATABASE_KEYS, redis: REDIS_KEYS },
  cache: CACHE_KEYS,
  log: LOG_KEYS,
};

/** The settings of all keys. */
export type Settings = SettingsOf<typeof KEYS>;

/** Every key by its path. */
export const KEY_BY_PATH: ReadonlyMap<string, Key> = new Map(keysOf(KEYS).map((key) => [key.path, key]));

/** The paths of all keys. */
export const PATHS: readonly string[] = [...KEY_BY_PATH.keys()];

/** The beginning of the name of every variable that overrides a key. */
export const ENVIRONMENT_PREFIX = "CACHESERVER_";

/** The variable that overrides a key: `CACHESERVER_DATA_REDIS_ADDR` for `data.redis.addr`. */
export function variableOf(path: string): string {
  return ENVIRONMENT_PREFIX + path.toUpperCase().replaceAll(".", "_");
}

/** The names directly below a section such as `data.redis`, or below the root, which is the empty path. */
export function namesBelow(section: string): readonly string[] {
  const prefix = section === "" ? "" : section + ".";
  const below = [...PATHS, NAMESPACES].filter((path) => path.startsWith(prefix));
  return [...new Set(below.map((path) => path.slice(prefix.length).split(".", 1)[0]!))];
}
