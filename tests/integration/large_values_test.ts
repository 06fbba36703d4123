/** Many large values at once, against the real program with Redis: the memory that they leave in use. */
import { assert, assertEquals } from "@std/assert";
import { CacheClient } from "../support/client/client.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { startService } from "../support/service/service.ts";
import { serversProfile } from "../support/service/profile.ts";

const CALLS = 500;
const VALUE_BYTES = 2 ** 20;

/** The resident memory of a working service with 32 MiB of local memory: less than half of the values' size. */
const MAX_RESIDENT_MIB = 480;

/** The resident memory of a process. */
async function residentMiB(pid: number): Promise<number> {
  const { stdout } = await new Deno.Command("ps", { args: ["-o", "rss=", "-p", `${pid}`] }).output();
  return Number(new TextDecoder().decode(stdout)) / 1024;
}

testWithServers(
  ["redis", "mysql"],
  "500 calls with 1 MiB at once are answered, and their memory is released",
  async (servers) => {
    await using profile = await serversProfile(servers);
    await using service = await startService(profile, {
      "cache.local.max_bytes": "32MiB",
      "server.grpc.timeout": "60s",
    });
    const clients = Array.from({ length: 10 }, () => new CacheClient(service.address));
    const value = { "type_url": "t", value: new Uint8Array(VALUE_BYTES).fill(7) };
    const each = <T>(call: (client: CacheClient, key: string) => Promise<T>) =>
      Promise.all(Array.from({ length: CALLS }, (_, i) => call(clients[i % 10]!, `k${i}`)));
    try {
      await each((client, key) => client.set({ namespace: "n", key, value }));
      const afterSets = await residentMiB(service.pid);
      const lengths = await each(async (client, key) =>
        (await client.get({ namespace: "n", key })).value.value.length
      );
      const afterGets = await residentMiB(service.pid);
      assertEquals(lengths, Array(CALLS).fill(VALUE_BYTES));
      assert(
        afterSets < MAX_RESIDENT_MIB && afterGets < MAX_RESIDENT_MIB,
        `${afterSets} MiB after the Sets, ${afterGets} after the Gets`,
      );
    } finally {
      for (const client of clients) client[Symbol.dispose]();
    }
  },
);
