import { RedisProbe } from "../support/redis/probe.ts";
import { testServers, testWithServers } from "../support/servers/servers.ts";
import type { Endpoint } from "../../src/core/endpoint.ts";
import { authorityEntrySuite, type OpenEntryStore } from "./authority_entry_suite.ts";

async function open(server: Endpoint): Promise<OpenEntryStore> {
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
