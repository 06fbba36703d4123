/** Joins what logs say of the tiers: where their stores are, and which keys of the configuration an error points to. */
import type { Config } from "../config/config.ts";
import { databaseAddress } from "../config/data/database.ts";
import { redisAddress } from "../config/data/redis.ts";
import type { TierNotes } from "../observe/tier_notes.ts";
import { mysqlKeysOf } from "../store/mysql/errors.ts";
import { redisKeysOf } from "../store/redis/errors.ts";

/** The notes by tier: `database`, and `redis` where there is one. */
export function tierNotes({ data: { database, redis } }: Config): ReadonlyMap<string, TierNotes> {
  const notes = new Map<string, TierNotes>([["database", {
    address: databaseAddress(database),
    keysOf: (error) => database.driver === "mysql" ? mysqlKeysOf(error) : undefined,
  }]]);
  if (redis !== undefined) {
    const { topology } = redis;
    notes.set("redis", {
      address: redisAddress(topology),
      keysOf: (error) => redisKeysOf(error, topology.kind),
    });
  }
  return notes;
}
