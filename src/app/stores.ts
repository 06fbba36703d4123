/** Opens the back ends that a configuration asks for, and assigns them their roles. */
import type { Config } from "../config/config.ts";
import type { EntryChange } from "../core/entry.ts";
import type { Invalidations, Outbox, SharedCache } from "../core/ports.ts";
import type { Secret, SecretChange } from "../core/secret.ts";
import type { Tier } from "../cache/tier.ts";
import type { LogObserver } from "../observe/log_observer.ts";
import type { AuthorityBackend, HealthTarget } from "./backend.ts";

/** The stores of the two chains. */
export interface Stores {
  readonly entries: AuthorityBackend<Uint8Array, EntryChange>;
  /** The tier between local memory and the authority of secrets; undefined if there is none. */
  readonly sharedSecrets:
    | { readonly store: SharedCache<Secret>; readonly tier: Tier; readonly outbox: Outbox }
    | undefined;
  readonly secrets: AuthorityBackend<Secret, SecretChange>;
  readonly healthTargets: readonly HealthTarget[];
  /** Subscribes local memory to the changes of other replicas; undefined if there cannot be any. */
  readonly subscribe: ((target: Invalidations) => Promise<void>) | undefined;
}

/** Opens the back ends. `resources` owns those that are open, also if a later one fails to open. */
export async function openStores(
  config: Config,
  resources: AsyncDisposableStack,
  observer: LogObserver,
): Promise<Stores> {
  const { database, redis } = config.data;
  // Each back end is imported only if it is used, so that no start waits for a driver that it does not need.
  if (database.driver === "sqlite") {
    const { openSqliteBackend } = await import("./sqlite.ts");
    const { entries, secrets, healthTarget } = await openSqliteBackend(config, database, resources, observer);
    const embedded = { entries, sharedSecrets: undefined, secrets };
    if (redis === undefined) return { ...embedded, healthTargets: [healthTarget], subscribe: undefined };
    // No other process reads this file, so its secrets need no shared tier.
    const { openRedis } = await import("./redis.ts");
    const shared = await openRedis(redis, resources, observer);
    return {
      ...embedded,
      entries: shared.entries,
      healthTargets: [shared.healthTarget, healthTarget],
      subscribe: shared.subscribe,
    };
  }
  if (redis === undefined) {
    throw new TypeError("Cannot serve namespaced entries: the configuration has no redis");
  }
  const { openMysql } = await import("./mysql.ts");
  const { secrets, outbox, healthTarget } = openMysql(database, resources, observer);
  const { openRedis } = await import("./redis.ts");
  const shared = await openRedis(redis, resources, observer);
  return {
    entries: shared.entries,
    sharedSecrets: { ...shared.secrets, outbox },
    secrets,
    healthTargets: [shared.healthTarget, healthTarget],
    subscribe: shared.subscribe,
  };
}

/** Creates or upgrades the database's schema; resolves to what was done, a sentence each. */
export async function migrateDatabase(config: Config): Promise<string[]> {
  const { database } = config.data;
  const done = database.driver === "mysql"
    ? await (await import("./mysql.ts")).migrateTables(database)
    : await (await import("./sqlite.ts")).migrateSqliteFile(config, database);
  return done.length > 0 ? done : ["Nothing was missing."];
}
