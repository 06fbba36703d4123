/** Redis starts from an old snapshot: replicas still serve the newest secrets. */
import { assert, assertEquals } from "@std/assert";
import { CacheClient, refusal } from "../support/client/client.ts";
import { askRedis, startRedis } from "../support/redis/redis.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { startService } from "../support/service/service.ts";
import { serversProfile } from "../support/service/profile.ts";
import { waitFor } from "../support/wait_for.ts";

const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

testWithServers(
  ["mysql"],
  "secrets changed or deleted since a snapshot of Redis stay so on every replica when Redis starts from it",
  async ({ mysql }) => {
    const folder = await Deno.makeTempDir({ prefix: "cacheserver-snapshot-" });
    await using _ = { [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
    await using redis = await startRedis({ args: ["--dir", folder] });
    await using profile = await serversProfile({ mysql, redis });
    await using first = await startService(profile);
    await using second = await startService(profile, { "cache.local.disabled": "true" });
    using writer = new CacheClient(first.address);
    using other = new CacheClient(second.address);
    const clients = [writer, other];

    for (const key of ["changed", "deleted"]) {
      await writer.setSecret({ key, name: "old" });
      for (const client of clients) assertEquals((await client.getSecret({ key })).name, "old");
      assert(text(await profile.redis.get(`secret:${key}`)).includes('"name":"old"'));
    }
    assert((await askRedis(redis, "SAVE")).startsWith("+OK"));
    await writer.setSecret({ key: "changed", name: "new" });
    await writer.deleteSecret({ key: "deleted" });

    const expectNew = async () => {
      for (const client of clients) {
        assertEquals((await client.getSecret({ key: "changed" })).name, "new");
        assertEquals((await refusal(client.getSecret({ key: "deleted" }))).reason, "SECRET_NOT_FOUND");
      }
    };
    await expectNew();
    await redis.stop();
    await redis.start();
    assert(text(await profile.redis.get("secret:deleted")).includes('"name":"old"'), "the snapshot is back");
    // A read that finds the old secret rejects it and fills Redis again.
    await waitFor(async () => {
      await expectNew();
      return text(await profile.redis.get("secret:changed")).includes('"name":"new"');
    }, { what: "Redis to be read again", timeoutMs: 10_000 });
    await expectNew();
    assertEquals([...first.errors, ...second.errors], []);
  },
);
