/** The configuration that a run of the service uses: read once, checked whole, then frozen. */
import { assembleCache, type CacheConfig } from "./cache/cache.ts";
import type { NamespaceSettings, OwnOptions } from "./cache/namespaces.ts";
import type { Problem } from "./config_error.ts";
import { assembleDatabase, type MysqlConfig, type SqliteConfig } from "./data/database.ts";
import { type RedisConfig, redisConfig, redisProblems } from "./data/redis.ts";
import type { LOG_KEYS, LogConfig } from "./log.ts";
import type { Settings } from "./schema.ts";
import { type SERVER_KEYS, type ServerConfig, serverConfig } from "./server.ts";
import { valuesOf } from "./settings.ts";

export interface Config {
  readonly server: ServerConfig;
  readonly data: {
    readonly database: MysqlConfig | SqliteConfig;
    /** Without it, the database also holds namespaced entries (the embedded profile). */
    readonly redis: RedisConfig | undefined;
  };
  readonly cache: CacheConfig;
  readonly log: LogConfig;
}

/** A configuration put together from its settings. */
export interface Assembly {
  /** Undefined when there are problems. */
  readonly config: Config | undefined;
  readonly problems: readonly Problem[];
  /** The settings in force: with what follows from other keys. */
  readonly settings: Settings;
  /** The options in force of namespaces that have some of their own. */
  readonly namespaces: readonly NamespaceSettings[];
}

/** Puts the settings together, and checks keys against each other. Does not repeat problems of single keys. */
export function assemble(given: Settings, own: ReadonlyMap<string, OwnOptions>): Assembly {
  const database = assembleDatabase(given.data.database, given.cache.maxValueBytes.value);
  const cache = assembleCache(given.cache, own);
  const problems = [
    ...database.problems,
    ...redisProblems(given.data.redis, given.data.database.driver.value),
    ...cache.problems,
  ];
  const config = database.config === undefined || problems.length > 0 ? undefined : {
    server: serverConfig(valuesOf<typeof SERVER_KEYS>(given.server)),
    data: { database: database.config, redis: redisConfig(given.data.redis) },
    cache: cache.config,
    log: valuesOf<typeof LOG_KEYS>(given.log),
  };
  const settings = {
    ...given,
    data: { ...given.data, database: database.settings },
    cache: cache.settings,
  };
  return { config, problems, settings, namespaces: cache.namespaces };
}
