import type { Config } from "../config/config.ts";
import { databaseAddress } from "../config/data/database.ts";
import { redisAddress } from "../config/data/redis.ts";
import type { TierDescription } from "../observe/log_observer.ts";
import { mysqlKeysOf } from "../store/mysql/errors.ts";
import { redisKeysOf } from "../store/redis/errors.ts";

/** The tiers for the log, by name: `database`, and `redis` if the configuration has it. */
export function describeTiers({ data: { database, redis } }: Config): ReadonlyMap<string, TierDescription> {
  const tiers = new Map<string, TierDescription>([["database", {
    address: databaseAddress(database),
    keysOf: (error) => database.driver === "mysql" ? mysqlKeysOf(error) : undefined,
  }]]);
  if (redis !== undefined) {
    const { topology } = redis;
    tiers.set("redis", {
      address: redisAddress(topology),
      keysOf: (error) => redisKeysOf(error, topology.kind),
    });
  }
  return tiers;
}
