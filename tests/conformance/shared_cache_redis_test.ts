import { RedisSecrets } from "../../src/store/redis_secrets.ts";
import { RedisProbe } from "../support/redis_probe.ts";
import { type RedisAddress, testServers, testWithServers } from "../support/servers.ts";
import { KEY, type OpenSharedCache, sharedCacheSuite, TOMBSTONE_TTL_MS } from "./shared_cache_suite.ts";

async function open(server: RedisAddress): Promise<OpenSharedCache> {
  const redis = await RedisProbe.open(server);
  const withTombstoneTtl = (ttlMs: number) => {
    return new RedisSecrets(redis.client, redis.keyPrefix, redis.clock, ttlMs);
  };
  return {
    store: withTombstoneTtl(TOMBSTONE_TTL_MS),
    withTombstoneTtl,
    lose: () => redis.lose(KEY),
    timeLeftMs: () => redis.timeLeftMs(KEY),
    [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose](),
  };
}

sharedCacheSuite(
  "RedisSecrets",
  () => open(testServers().redis!),
  (title, test) => testWithServers(["redis"], title, test),
);
