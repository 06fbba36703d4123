/** `data.database.max_bytes` bounds the embedded file: the entries written longest ago are evicted. */
import { assert, assertEquals } from "@std/assert";
import { CacheClient, refusal } from "../support/client/client.ts";
import { startService } from "../support/service/service.ts";
import { embeddedProfile, type ServiceProfile } from "../support/service/profile.ts";
import { waitFor } from "../support/wait_for.ts";

const MiB = 2 ** 20;
const VALUE_BYTES = 60_000;

function entry(key: string, bytes = VALUE_BYTES) {
  return { namespace: "n", key, value: { "type_url": "t", value: new Uint8Array(bytes).fill(7) } };
}

function fileBytes(profile: ServiceProfile): number {
  return Deno.statSync(String(profile.settings["data.database.source"])).size;
}

/** Those of `keys` whose entries are in the file. */
async function present(client: CacheClient, keys: readonly string[]): Promise<string[]> {
  const isThere = await Promise.all(keys.map((key) => client.get(entry(key)).then(() => true, () => false)));
  return keys.filter((_, i) => isThere[i]);
}

/** Local memory is off: it would still answer for entries that the file no longer has. */
const LIMITED = { "data.database.max_bytes": "8MiB", "cache.local.disabled": "true" };

Deno.test("over max_bytes the entries written longest ago are evicted, and never secrets", async () => {
  await using profile = await embeddedProfile();
  await using service = await startService(profile, LIMITED);
  using client = new CacheClient(service.address);
  await client.setSecret({ key: "alice", name: "n" });
  const keys = Array.from({ length: 300 }, (_, i) => `${i}`);
  const setAll = async (some: readonly string[]) => {
    for (let i = 0; i < some.length; i += 20) {
      await Promise.all(some.slice(i, i + 20).map((key) => client.set(entry(key))));
    }
  };
  await setAll(keys.slice(0, 60));
  // A rewritten entry is no longer among the oldest.
  await client.set(entry("0"));
  await setAll(keys.slice(60));
  assert(fileBytes(profile) <= 8 * MiB, `${fileBytes(profile)} bytes`);
  const left = await present(client, keys);
  assertEquals(left, keys.slice(-left.length));
  // At least three quarters of the limit are used.
  assert(left.length * VALUE_BYTES > 6 * MiB, `${left.length} entries`);
  assertEquals((await client.getSecret({ key: "alice" })).name, "n");

  const oldest = keys.at(-left.length)!;
  await client.set(entry(oldest));
  await setAll(keys.slice(0, 40));
  assertEquals(await present(client, [oldest, keys.at(-left.length + 1)!]), [oldest]);
});

Deno.test("a large value evicts only as many small ones as it needs", async () => {
  await using profile = await embeddedProfile();
  await using service = await startService(profile, LIMITED);
  using client = new CacheClient(service.address);
  const keys = Array.from({ length: 1_500 }, (_, i) => `${i}`);
  for (let i = 0; i < keys.length; i += 50) {
    await Promise.all(keys.slice(i, i + 50).map((key) => client.set(entry(key, 7_000))));
  }
  for (const key of ["a", "b", "c"]) await client.set(entry(key, MiB));
  assertEquals(await present(client, ["a", "b", "c", "1499"]), ["a", "b", "c", "1499"]);
  assert(fileBytes(profile) <= 8 * MiB, `${fileBytes(profile)} bytes`);
});

Deno.test("a file shrinks to a lower max_bytes, and when its entries expire", async () => {
  await using profile = await embeddedProfile();
  await using first = await startService(profile);
  using client = new CacheClient(first.address);
  for (let i = 0; i < 20; i++) await client.set(entry(`lasting ${i}`, MiB));
  assertEquals(await first.stop(), 0);
  assert(fileBytes(profile) > 20 * MiB);

  await using second = await startService(profile, LIMITED);
  using other = new CacheClient(second.address);
  await waitFor(() => fileBytes(profile) <= 8 * MiB, { what: "the file to shrink", timeoutMs: 15_000 });
  assertEquals(await present(other, ["lasting 0", "lasting 19"]), ["lasting 19"]);
  for (let i = 0; i < 20; i++) await other.delete(entry(`lasting ${i}`));
  for (let i = 0; i < 6; i++) await other.set({ ...entry(`short ${i}`, MiB), expire: { seconds: 1 } });
  await waitFor(() => fileBytes(profile) <= 2 * MiB, { what: "the file to shrink again", timeoutMs: 15_000 });
  assertEquals((await refusal(other.get(entry("short 5")))).reason, "KEY_NOT_FOUND");
});
