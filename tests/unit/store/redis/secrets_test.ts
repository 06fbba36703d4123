/** Secrets in Redis, with values under their keys from other releases, other programs and accidents. */
import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { ServiceError } from "../../../../src/core/errors.ts";
import { secretCacheKey } from "../../../../src/core/key.ts";
import type { RedisCommands } from "../../../../src/store/redis/commands.ts";
import { MAX_INTENTS } from "../../../../src/store/redis/secret_scripts.ts";
import { RedisSecrets } from "../../../../src/store/redis/secrets.ts";
import { secretEntry, version } from "../../../conformance/secret_entry.ts";
import { FakeClock } from "../../../support/fake_clock.ts";
import { epochOf } from "../../../support/redis/epoch_of.ts";
import { startRedis } from "../../../support/redis/redis.ts";
import { printLine } from "../../../support/runner/print_line.ts";
import { RedisProbe } from "../../../support/redis/probe.ts";
import { testWithServers } from "../../../support/servers/servers.ts";

const KEY = secretCacheKey("alice");
const INTENT = "00000000-0000-4000-8000-000000000001";
const ENTRY = secretEntry(KEY, version(3, 7));

const bytes = (text: string) => new TextEncoder().encode(text);

/** Bytes that this release cannot read. */
const UNREADABLE = {
  "an empty value": new Uint8Array(0),
  "a format of an earlier release": bytes(`\x01${"0".repeat(32)}{}`),
  "a format of a later release": bytes("\x05anything"),
};

/** Stored values that are no entry of this epoch of the server. */
const OF_ANOTHER_EPOCH = {
  "an entry of another epoch": bytes(`\x03${"0".repeat(32)}another epoch   {}`),
  "an entry without its epoch": bytes(`\x03${"0".repeat(32)}`),
  "an entry without its version": bytes("\x03123"),
};

/** Tombstones that are cut short or have a malformed deadline. */
const DAMAGED_TOMBSTONES = [
  bytes("\x04"),
  bytes(`\x04${"0".repeat(32)}${INTENT}`),
  bytes(`\x04${"0".repeat(32)}${INTENT}not a time !`),
];

function test(title: string, run: (redis: RedisProbe, store: RedisSecrets) => Promise<void>): void {
  testWithServers(["redis"], title, async (servers) => {
    await using redis = await RedisProbe.open(servers.redis);
    await run(redis, storeUnder(redis, redis.keyPrefix));
  });
}

function storeUnder({ client, clock }: RedisProbe, keyPrefix: string): RedisSecrets {
  return new RedisSecrets(client, keyPrefix, { clock, newName: () => crypto.randomUUID() });
}

/** The lease of a miss. */
async function leaseOf(store: RedisSecrets, key = KEY): Promise<string | undefined> {
  const found = await store.read(key);
  assert(typeof found === "object" && "lease" in found, "something was found");
  return found.lease;
}

async function fill(store: RedisSecrets): Promise<void> {
  const lease = await leaseOf(store);
  assert(lease !== undefined);
  await store.fill(KEY, lease, ENTRY);
}

async function change(store: RedisSecrets): Promise<void> {
  await store.announce(KEY, INTENT);
  await store.publish(KEY, INTENT, ENTRY);
}

test("RedisSecrets.announce() resolves to the epoch of the server", async ({ client }, store) => {
  assertEquals(await store.announce(KEY, INTENT), client.epoch);
  assertEquals(store.epoch.current, client.epoch);
  await store.epoch.confirm();
});

Deno.test("RedisSecrets.announce() and confirm() reject once the connection has been replaced", async () => {
  let epoch: string | undefined = "x";
  const done = () => Promise.resolve();
  const reconnect = () => {
    epoch = "y";
    return done();
  };
  const client: RedisCommands = {
    spansSlots: true,
    get epoch() {
      return epoch;
    },
    ping: reconnect,
    run: done,
    setBy: done,
    change: reconnect,
    recheckEpoch() {},
  };
  const store = new RedisSecrets(client, "", { clock: new FakeClock(), newName: () => "name" });
  await assertRejects(() => store.announce(KEY, INTENT), Error, "was replaced meanwhile");
  epoch = "x";
  await assertRejects(() => store.epoch.confirm(), Error, "the connection was replaced");
  epoch = undefined;
  await assertRejects(() => store.announce(KEY, INTENT), Error);
});

test(
  "RedisSecrets stores an entry as a format byte, its version, an epoch and JSON",
  async (redis, store) => {
    await fill(store);
    const stored = new TextDecoder().decode(await redis.bytes(KEY));
    const [, version, epoch, json] = /^(\d{32})([0-9a-f]{16})(.*)$/.exec(stored.slice(1)) ?? [];
    assertEquals(stored[0], "\x03");
    assertEquals(version, "00000000000000030000000000000007");
    assertEquals(epoch, await epochOf(redis.client));
    assertEquals(json, JSON.stringify(ENTRY.value));
  },
);

for (const [what, stored] of Object.entries(UNREADABLE)) {
  test(`RedisSecrets.read() rejects ${what}, and a change replaces it`, async (redis, store) => {
    await redis.put(KEY, stored);
    const error = await assertRejects(() => store.read(KEY), ServiceError);
    assertEquals(error.code, "internal");
    await change(store);
    assertEquals(await store.read(KEY), ENTRY);
  });
}

test("RedisSecrets.read() rejects an entry that is cut, and a change replaces it", async (redis, store) => {
  await fill(store);
  await redis.put(KEY, (await redis.bytes(KEY))!.slice(0, -1));
  const error = await assertRejects(() => store.read(KEY), ServiceError);
  assertEquals(error.code, "internal");
  await change(store);
  assertEquals(await store.read(KEY), ENTRY);
});

for (const [what, stored] of Object.entries(OF_ANOTHER_EPOCH)) {
  test(
    `RedisSecrets.read() finds nothing in ${what}, which fill() and a change replace`,
    async (redis, store) => {
      for (const replace of [fill, change]) {
        await redis.put(KEY, stored);
        await replace(store);
        assertEquals(await store.read(KEY), ENTRY);
      }
    },
  );
}

/** The tombstone of an older release after 2,000 changes of a locked row, none of them given up yet. */
const LONG_TOMBSTONE = bytes(
  `\x04${"0".repeat(31)}7` +
    Array.from({ length: 2_000 }, (_, index) => {
      return `${INTENT.slice(0, -4)}${`${index}`.padStart(4, "0")}${9_999_999_999_999}another epoch ..`;
    }).join(""),
);

/** A tombstone with the most intents that stay separate. */
const FULL_TOMBSTONE = LONG_TOMBSTONE.slice(0, 33 + (MAX_INTENTS - 1) * 65);

test("RedisSecrets bounds a tombstone, however many changes there are", async (redis, store) => {
  for (let index = 0; index < 3 * MAX_INTENTS; index++) {
    await store.announce(KEY, crypto.randomUUID());
    const { length } = (await redis.bytes(KEY))!;
    assert(length <= FULL_TOMBSTONE.length + 65, `${length} bytes after ${index + 1} announcements`);
  }
});

test(
  "RedisSecrets treats a long tombstone as that of one change that has not ended",
  async (redis, store) => {
    const changes: Readonly<Record<string, () => Promise<unknown>>> = {
      announce: () => store.announce(KEY, INTENT),
      publish: () => store.publish(KEY, INTENT, ENTRY),
      writeTombstone: () => store.writeTombstone(KEY, INTENT, ENTRY.version),
    };
    for (const [what, change] of Object.entries(changes)) {
      await redis.put(KEY, LONG_TOMBSTONE);
      assertEquals(await store.read(KEY), "tombstone");
      await store.retract(KEY, INTENT);
      assertEquals(await redis.bytes(KEY), LONG_TOMBSTONE);
      await change();
      const stored = (await redis.bytes(KEY))!;
      assert(stored.length <= 33 + 2 * 65, `${stored.length} bytes are left by ${what}`);
      const raised = what === "announce" ? `${"0".repeat(31)}7` : "00000000000000030000000000000007";
      assertEquals(new TextDecoder().decode(stored.slice(1, 33)), raised);
      const last = crypto.randomUUID();
      await store.announce(KEY, last);
      await store.publish(KEY, last, secretEntry(KEY, version(9, 9)));
      assertEquals(await store.read(KEY), "tombstone", "the replaced intents may be under way");
    }
  },
);

/** The longest that a script may take: Redis does nothing else meanwhile. */
const MAX_SCRIPT_US = 500;

testWithServers(
  ["redis"],
  "RedisSecrets never blocks Redis by a script, however many changes are open",
  async () => {
    await using server = await startRedis();
    await using redis = await RedisProbe.open(server);
    const store = storeUnder(redis, redis.keyPrefix);
    await redis.client.call("CONFIG", "SET", "slowlog-max-len", "10000");
    await redis.client.call("CONFIG", "SET", "slowlog-log-slower-than", "0");
    const steps: Readonly<Record<string, () => Promise<unknown>>> = {
      read: () => store.read(KEY),
      announce: () => store.announce(KEY, INTENT),
      publish: () => store.publish(KEY, INTENT, ENTRY),
      writeTombstone: () => store.writeTombstone(KEY, INTENT, ENTRY.version),
      retract: () => store.retract(KEY, INTENT),
    };
    for (const [what, tombstone] of [["long", LONG_TOMBSTONE], ["full", FULL_TOMBSTONE]] as const) {
      for (const [name, step] of Object.entries(steps)) {
        // Redis learns the script.
        await step();
        const tookUs: number[] = [];
        for (let round = 0; round < 21; round++) {
          await redis.put(KEY, tombstone);
          await redis.client.call("SLOWLOG", "RESET");
          await step();
          tookUs.push(await scriptTimeUs(redis));
        }
        // The median, because other work on the machine counts as well.
        const medianUs = tookUs.sort((a, b) => a - b)[10]!;
        printLine(`${name} on a ${what} tombstone: ${medianUs} us of Redis`);
        assert(medianUs < MAX_SCRIPT_US, `${name} on a ${what} tombstone takes ${medianUs} us of Redis`);
      }
    }
  },
);

/** The time of the one script in the slow log. */
async function scriptTimeUs({ client }: RedisProbe): Promise<number> {
  const logged = await client.call("SLOWLOG", "GET", "-1") as [number, number, number, string[]][];
  const scripts = logged.filter(([, , , [command]]) => command?.startsWith("eval"));
  assertEquals(scripts.length, 1);
  return scripts[0]![2];
}

test("RedisSecrets treats a damaged tombstone as one without intents", async (redis, store) => {
  for (const stored of DAMAGED_TOMBSTONES) {
    await redis.put(KEY, stored);
    assertEquals(await store.read(KEY), "tombstone");
    await change(store);
    assertEquals(await store.read(KEY), ENTRY);
  }
});

test(
  "RedisSecrets.read() gives the same lease on every miss, until it is used",
  async (redis, store) => {
    const other = storeUnder(redis, redis.keyPrefix);
    const lease = await leaseOf(store);
    assertEquals(await leaseOf(other), lease);
    await fill(other);
    await redis.lose(KEY);
    assertNotEquals(await leaseOf(store), lease);
  },
);

test("RedisSecrets.read() gives no lease if Redis takes no writes", async () => {
  await using server = await startRedis({ args: ["--maxmemory", "1", "--maxmemory-policy", "noeviction"] });
  await using redis = await RedisProbe.open(server);
  assertEquals(await leaseOf(storeUnder(redis, "p:")), undefined);
});

test("RedisSecrets serves a key that cannot have a lease, except for fills", async (_, store) => {
  const key = secretCacheKey("a}b");
  const entry = secretEntry(key, version(1, 1));
  assertEquals(await leaseOf(store, key), undefined);
  await store.fill(key, "a lease that was never given", entry);
  assertEquals(await leaseOf(store, key), undefined);
  await store.announce(key, INTENT);
  await store.publish(key, INTENT, entry);
  assertEquals(await store.read(key), entry);
});
