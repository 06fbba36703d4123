/** What other releases, other programs and accidents may have left under a secret's key. */
import { assertEquals, assertRejects } from "@std/assert";
import { ServiceError } from "../../../src/core/errors.ts";
import { secretCacheKey } from "../../../src/core/key.ts";
import { RedisSecrets } from "../../../src/store/redis_secrets.ts";
import { secretEntry, version } from "../../conformance/secret_entry.ts";
import { RedisProbe } from "../../support/redis_probe.ts";
import { testWithServers } from "../../support/servers.ts";

const KEY = secretCacheKey("alice");
const INTENT = "00000000-0000-4000-8000-000000000001";
const ENTRY = secretEntry(KEY, version(3, 7));

const bytes = (text: string) => new TextEncoder().encode(text);

/** Bytes that no reader of this release can take for an entry. */
const UNREADABLE = {
  "an empty value": new Uint8Array(0),
  "a format of a later release": bytes("\x03anything"),
  "an entry without its version": bytes("\x01123"),
  "an entry that is cut": bytes(`\x01${"0".repeat(32)}{"userId":`),
};

/** Tombstones that are no longer than they should be. */
const DAMAGED_TOMBSTONES = [
  bytes("\x02"),
  bytes(`\x02${"0".repeat(32)}${INTENT}`),
  bytes(`\x02${"0".repeat(32)}${INTENT}not a time !`),
];

function test(title: string, run: (redis: RedisProbe, store: RedisSecrets) => Promise<void>): void {
  testWithServers(["redis"], title, async (servers) => {
    await using redis = await RedisProbe.open(servers.redis);
    await run(redis, new RedisSecrets(redis.client, redis.keyPrefix, redis.clock));
  });
}

async function change(store: RedisSecrets): Promise<void> {
  await store.announce(KEY, INTENT);
  await store.publish(KEY, INTENT, ENTRY);
}

test("RedisSecrets lays an entry out as a format byte, its version and JSON", async (redis, store) => {
  await store.fill(KEY, ENTRY);
  const stored = new TextDecoder().decode(await redis.bytes(KEY));
  assertEquals(stored, `\x0100000000000000030000000000000007${JSON.stringify(ENTRY.value)}`);
});

for (const [what, stored] of Object.entries(UNREADABLE)) {
  test(
    `RedisSecrets.read() rejects ${what}, fill() leaves it, a change replaces it`,
    async (redis, store) => {
      await redis.put(KEY, stored);
      const error = await assertRejects(() => store.read(KEY), ServiceError);
      assertEquals(error.code, "internal");
      if (stored[0] !== 1) {
        await store.fill(KEY, ENTRY);
        assertEquals(await redis.bytes(KEY), stored);
      }
      await change(store);
      assertEquals(await store.read(KEY), ENTRY);
    },
  );
}

test("RedisSecrets takes a damaged tombstone for one that nobody is behind", async (redis, store) => {
  for (const stored of DAMAGED_TOMBSTONES) {
    await redis.put(KEY, stored);
    assertEquals(await store.read(KEY), "tombstone");
    await change(store);
    assertEquals(await store.read(KEY), ENTRY);
  }
});
