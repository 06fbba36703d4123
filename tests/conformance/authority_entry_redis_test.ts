import { RedisProbe } from "../support/redis_probe.ts";
import { type RedisAddress, testServers, testWithServers } from "../support/servers.ts";
import { authorityEntrySuite, type OpenEntryStore } from "./authority_entry_suite.ts";

async function open(server: RedisAddress): Promise<OpenEntryStore> {
  const redis = await RedisProbe.open(server);
  return {
    store: redis.entries,
    [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose](),
  };
}

authorityEntrySuite(
  "RedisEntries",
  () => open(testServers().redis!),
  (title, test) => testWithServers(["redis"], title, test),
);
