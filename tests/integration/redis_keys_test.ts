import { startRedis } from "../support/redis/redis.ts";
import { RedisKeys } from "../support/service/redis.ts";
import { testWithServers } from "../support/servers/servers.ts";

testWithServers(
  ["redis"],
  "RedisKeys are disposed of in any state when their Redis is gone",
  async () => {
    await using redis = await startRedis();
    const all = Array.from({ length: 10 }, (_, at) => new RedisKeys(redis, `test-${at}:`));
    await Promise.all(all.map((keys) => keys.names()));
    await redis.stop();
    // Each is disposed of at another moment of connecting, being refused, and the 50 ms until the next attempt.
    for (const keys of all) {
      await keys[Symbol.asyncDispose]();
      await new Promise((resolve) => setTimeout(resolve, 7));
    }
  },
);
