import { FragileRedis } from "../support/redis/fragile_redis.ts";
import { RedisProbe } from "../support/redis/probe.ts";
import { testServers, testWithServers } from "../support/servers/servers.ts";
import type { Endpoint } from "../../src/core/endpoint.ts";
import type { OpenSharedCache } from "./fragile_cache.ts";
import { sharedCacheSuite, TOMBSTONE_TTL_MS } from "./shared_cache_suite.ts";

async function open(server: Endpoint): Promise<OpenSharedCache> {
  const redis = await RedisProbe.open(server);
  return {
    at: (key) => new FragileRedis(redis, key, TOMBSTONE_TTL_MS),
    [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose](),
  };
}

sharedCacheSuite(
  "RedisSecrets",
  () => open(testServers().redis!),
  (title, test) => testWithServers(["redis"], title, test),
);
