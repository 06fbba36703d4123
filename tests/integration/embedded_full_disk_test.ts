/** The embedded database on a disk of 20 MiB that becomes full: what expires makes room again, by itself. */
import { assertEquals } from "@std/assert";
import { CacheClient, refusal } from "../support/client/client.ts";
import { type RunningService, startService } from "../support/service/service.ts";
import { embeddedProfile, type ServiceProfile } from "../support/service/profile.ts";
import { mayMount, type SmallVolume, smallVolume } from "../support/sqlite/small_volume.ts";
import { waitFor } from "../support/wait_for.ts";
import { expectUnavailable } from "./unavailable.ts";

const MiB = 2 ** 20;
const TTL = { seconds: 4 };

/** Long enough for the time to live and for all that has expired to be removed, on a busy machine. */
const HEALED = { timeoutMs: 30_000, intervalMs: 100 };

function entry(key: string, bytes: number) {
  return { namespace: "n", key, value: { "type_url": "t", value: new Uint8Array(bytes).fill(7) } };
}

/** A profile whose database lies on a volume of its own. */
async function onVolume(
  test: (profile: ServiceProfile, volume: SmallVolume) => Promise<void>,
): Promise<void> {
  await using volume = await smallVolume(20);
  await using embedded = await embeddedProfile();
  const settings = { ...embedded.settings, "data.database.source": `${volume.path}/data/cacheserver.db` };
  await test({ ...embedded, settings, programOptions: { folder: volume.path } }, volume);
}

function testOnVolume(title: string, test: Parameters<typeof onVolume>[0]): void {
  const name = mayMount ? title : `NOT RUN, a volume cannot be mounted here: ${title}`;
  Deno.test({ name, ignore: !mayMount, fn: () => onVolume(test) });
}

async function readyz(service: RunningService): Promise<string> {
  const { tiers } = await (await fetch(`http://${service.httpAddress}/readyz`)).json();
  return tiers.database;
}

/** Sets entries that expire, several at once, until one is refused. */
async function fill(client: CacheClient, bytes: number): Promise<void> {
  const isStored = (set: Promise<void>) => set.then(() => true, () => false);
  for (let i = 0;; i++) {
    const sets = Array.from(
      { length: 8 },
      (_, j) => client.set({ ...entry(`${i}-${j}`, bytes), expire: TTL }),
    );
    if ((await Promise.all(sets.map(isStored))).includes(false)) return;
  }
}

/** Waits until the service takes changes, and expects it to say so everywhere. */
async function expectHealed(service: RunningService, client: CacheClient): Promise<void> {
  await waitFor(async () => await readyz(service) === "up", { what: "the database to be up", ...HEALED });
  assertEquals(await client.health("database"), "SERVING");
  for (const bytes of [10, MiB, 100_000]) await client.set(entry(`after ${bytes}`, bytes));
}

for (const bytes of [MiB, 50_000, 3_000]) {
  testOnVolume(
    `a disk full of expired values of ${bytes} bytes heals, and nothing calls it ready before`,
    async (profile) => {
      await using service = await startService(profile);
      using client = new CacheClient(service.address);
      await client.setSecret({ key: "alice", name: "n" });
      await client.set(entry("lasting", 1000));
      await fill(client, bytes);
      assertEquals(await readyz(service), "read_only");
      assertEquals(await client.health("database"), "NOT_SERVING");
      assertEquals(service.log.filter(({ event }) => event === "tier_read_only").length, 1);
      await expectUnavailable(client.set(entry("small", 1)), "database");
      await expectUnavailable(client.setSecret({ key: "bob", name: "n" }), "database");
      await client.delete(entry("lasting", 0));
      assertEquals((await refusal(client.get(entry("lasting", 0)))).reason, "KEY_NOT_FOUND");
      assertEquals((await client.getSecret({ key: "alice" })).name, "n");
      await expectHealed(service, client);
      await client.setSecret({ key: "bob", name: "n" });
    },
  );
}

for (const [how, end] of [["SIGTERM", "stop"], ["kill -9", "kill"]] as const) {
  testOnVolume(`a disk that was full heals after ${how} and a restart`, async (profile) => {
    await using first = await startService(profile);
    using client = new CacheClient(first.address);
    await client.setSecret({ key: "alice", name: "n" });
    await fill(client, MiB);
    await first[end]();
    await using second = await startService(profile);
    using other = new CacheClient(second.address);
    assertEquals((await other.getSecret({ key: "alice" })).name, "n");
    await expectHealed(second, other);
  });
}

testOnVolume(
  "a disk that another program fills is reported within two seconds, and so is room on it again",
  async (profile, volume) => {
    await using service = await startService(profile);
    using client = new CacheClient(service.address);
    await client.set(entry("lasting", 1000));
    const free = volume.fillUp();
    const quick = { what: "read_only", timeoutMs: 4_000 };
    await waitFor(async () => await readyz(service) === "read_only", quick);
    await expectUnavailable(client.set(entry("small", 1)), "database");
    assertEquals((await client.get(entry("lasting", 0))).value.value.length, 1000);
    free();
    await expectHealed(service, client);
  },
);

testOnVolume("a service starts on a full disk, serves what it has, and heals", async (profile, volume) => {
  const first = await startService(profile);
  using client = new CacheClient(first.address);
  await client.set(entry("lasting", 1000));
  assertEquals(await first.stop(), 0);
  const free = volume.fillUp();
  await using second = await startService(profile);
  using other = new CacheClient(second.address);
  assertEquals((await other.get(entry("lasting", 0))).value.value.length, 1000);
  assertEquals(await readyz(second), "read_only");
  await expectUnavailable(other.set(entry("small", 1)), "database");
  free();
  await expectHealed(second, other);
});
