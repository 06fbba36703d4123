/** Two masters at once under Sentinel: what one replica changes by the old one, the others serve all the same. */
import { assert, assertEquals } from "@std/assert";
import { FORMAT_ENTRY } from "../../src/store/redis/secret_scripts.ts";
import { CacheClient, refusal } from "../support/client/client.ts";
import { RedisKeys } from "../support/service/redis.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { startService } from "../support/service/service.ts";
import { behindProfile } from "../support/service/profile.ts";
import { TwoMasters } from "../support/redis/two_masters.ts";
import { waitFor } from "../support/wait_for.ts";

/** The longest until a change is seen by a replica that uses another master. */
const SEEN_WITHIN_MS = 2_000;
const FAILOVER_MS = 15_000;

const ENTRY = { namespace: "n", key: "k" };
const textOf = async (client: CacheClient) => new TextDecoder().decode((await client.get(ENTRY)).value.value);
const value = (text: string) => ({ "type_url": "t", value: new TextEncoder().encode(text) });

testWithServers(
  ["mysql"],
  "a secret that is changed or deleted over a replica on the old master is served by none as it was",
  async ({ mysql }) => {
    await using masters = await TwoMasters.start();
    await using profile = await behindProfile(mysql, masters.old, masters.following);
    const { "data.redis.sentinel.master_name": _name, "data.redis.sentinel.addrs": _addrs, ...settings } =
      profile.settings;
    await using first = await startService(profile);
    await using second = await startService({ ...profile, settings: { ...settings, ...masters.staying } });
    using follower = new CacheClient(first.address);
    using stayer = new CacheClient(second.address);
    const keys = ["changed", "deleted", "other"];
    for (const key of keys) await follower.setSecret({ key, name: "old" });
    for (const key of keys) assertEquals((await stayer.getSecret({ key })).name, "old");

    await masters.split();
    await waitFor(
      () => follower.set({ ...ENTRY, value: value("new master") }).then(() => true, () => false),
      {
        what: "one replica to follow to the new master",
        timeoutMs: FAILOVER_MS,
      },
    );
    await using held = new RedisKeys(masters.next, profile.redis.prefix);
    await waitFor(async () => {
      for (const key of keys) assertEquals((await follower.getSecret({ key })).name, "old");
      const found = await Promise.all(keys.map((key) => held.get(`secret:${key}`)));
      return found.every((each) => each?.[0] === FORMAT_ENTRY);
    }, { what: "the new master to have copies", timeoutMs: FAILOVER_MS });
    // The old one takes changes as before.
    await stayer.set({ ...ENTRY, value: value("old master") });
    assertEquals(await textOf(stayer), "old master");

    await stayer.setSecret({ key: "changed", name: "new" });
    await stayer.deleteSecret({ key: "deleted" });
    const isSeen = async (client: CacheClient) =>
      (await client.getSecret({ key: "changed" })).name === "new" &&
      await client.getSecret({ key: "deleted" }).then(() => false, () => true);
    await waitFor(() => isSeen(follower), {
      what: "the replica on the new master to serve it",
      timeoutMs: SEEN_WITHIN_MS,
    });
    assert(await isSeen(stayer));
    for (const name of ["1", "2", "3"]) {
      await follower.setSecret({ key: "other", name });
      await waitFor(async () => (await stayer.getSecret({ key: "other" })).name === name, {
        what: `the replica on the old master to serve ${name}`,
        timeoutMs: SEEN_WITHIN_MS,
      });
    }
    await second.logged("out_of_force");

    await masters.join();
    await waitFor(async () => await textOf(stayer).catch(() => undefined) === "new master", {
      what: "the other replica to follow",
      timeoutMs: FAILOVER_MS,
    });
    for (let round = 0; round < 10; round++) {
      for (const client of [stayer, follower]) {
        assertEquals((await client.getSecret({ key: "changed" })).name, "new");
        assertEquals((await refusal(client.getSecret({ key: "deleted" }))).reason, "SECRET_NOT_FOUND");
        assertEquals((await client.getSecret({ key: "other" })).name, "3");
      }
    }
    // From here on, changes are announced in Redis alone again.
    await waitFor(async () => {
      await stayer.setSecret({ key: "changed", name: "newest" });
      return (await held.get("secret:changed"))?.[0] === FORMAT_ENTRY;
    }, { what: "a change to be published", timeoutMs: 5_000 });
    assertEquals((await follower.getSecret({ key: "changed" })).name, "newest");
    assertEquals([...first.errors, ...second.errors], []);
  },
);
