/** The permissions of the process, at its start and once it serves. */
import { assert, assertEquals } from "@std/assert";
import { CacheClient } from "../support/client/client.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { startMariadb } from "../support/mysql/mariadb.ts";
import { startService } from "../support/service/service.ts";
import { embeddedProfile, serversProfile } from "../support/service/profile.ts";
import { waitFor } from "../support/wait_for.ts";

const ENTRY = { namespace: "n", key: "k" };
const VALUE = { "type_url": "t", value: new TextEncoder().encode("value") };

Deno.test("serve keeps its database in any folder, and creates the folder", async () => {
  await using profile = await embeddedProfile();
  const path = `${profile.programOptions.folder}/any where/db-%41/c.db`;
  await using service = await startService(profile, { "data.database.source": path });
  using client = new CacheClient(service.address);
  await client.set({ ...ENTRY, value: VALUE });
  assert(Deno.statSync(path).isFile);
  assertEquals(await service.stop(), 0);
  assertEquals(service.errors, []);
});

Deno.test("a serving process may write only the files that SQLite has open", async () => {
  await using profile = await embeddedProfile();
  const programOptions = { ...profile.programOptions, main: "tests/integration/writing_main.ts" };
  await using service = await startService({ ...profile, programOptions });
  service.signal("SIGUSR1");
  const { level: _, event: __, ...outcomes } = await service.logged("tried");
  const refused = "NotCapable";
  assertEquals(outcomes, { database: refused, beside: refused, here: refused, elsewhere: refused });
  using client = new CacheClient(service.address);
  // More than SQLite keeps in its write-ahead log, so that the file itself is written too.
  const value = { ...VALUE, value: new Uint8Array(1_000_000) };
  for (let key = 0; key < 10; key++) await client.set({ namespace: "n", key: `${key}`, value });
  assertEquals((await client.get({ namespace: "n", key: "9" })).value.value.length, 1_000_000);
  assertEquals(await service.stop(), 0);
});

testWithServers(
  ["redis"],
  "serve reaches MySQL over its Unix socket, also after MySQL restarts",
  async ({ redis }) => {
    await using mysql = await startMariadb();
    await using profile = await serversProfile({ mysql, redis });
    const source = `root@unix(${mysql.socket})/${profile.database.config.database}?parseTime=True&loc=Local`;
    await using service = await startService(profile, { "data.database.source": source });
    using client = new CacheClient(service.address);
    await client.setSecret({ key: "alice", name: "n" });
    await mysql.stop();
    await service.logged("tier_down");
    await mysql.start();
    const ups = () => service.log.filter(({ event, tier }) => event === "tier_up" && tier === "database");
    await waitFor(() => ups().length === 2, { what: "MySQL to be up again" });
    await client.setSecret({ key: "alice", name: "m" });
    assertEquals((await client.getSecret({ key: "alice" })).name, "m");
  },
);
