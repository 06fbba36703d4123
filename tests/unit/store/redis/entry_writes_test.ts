import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Clock } from "../../../../src/core/clock.ts";
import { type CacheKey, cacheKey } from "../../../../src/core/key.ts";
import { ANY_EPOCH } from "../../../../src/core/ports.ts";
import { RedisChanges } from "../../../../src/store/redis/changes.ts";
import type { RedisArgument, RedisCommands, RedisScript } from "../../../../src/store/redis/commands.ts";
import { refusedLateAtMs } from "../../../../src/store/redis/deadline.ts";
import {
  MAX_KEYS_WRITTEN,
  MAX_SCRIPT_VALUE_BYTES,
  RedisEntryWrites,
} from "../../../../src/store/redis/entry_writes.ts";
import { askRedis, startRedis } from "../../../support/redis/redis.ts";
import { RedisProbe } from "../../../support/redis/probe.ts";
import { testWithServers } from "../../../support/servers/servers.ts";

const keyOf = (name: string) => cacheKey("shop", name);
const valueOf = (text: string, bytes = 1) => ({ prefix: text, bytes: new Uint8Array(bytes) });
const SIZES = [1, MAX_SCRIPT_VALUE_BYTES, MAX_SCRIPT_VALUE_BYTES + 1, 1024 * 1024];

/** Counts the scripts sent. */
class Counter implements RedisCommands {
  readonly spansSlots = true;
  readonly epoch = ANY_EPOCH;
  readonly #client: RedisCommands;
  readonly scripts: (readonly string[])[] = [];

  constructor(client: RedisCommands) {
    this.#client = client;
  }

  run(script: RedisScript, keys: readonly string[], ...args: RedisArgument[]): Promise<unknown> {
    this.scripts.push(keys);
    return this.#client.run(script, keys, ...args);
  }

  setBy: RedisCommands["setBy"] = (incomingKey, change) => this.#client.setBy(incomingKey, change);
  ping = () => this.#client.ping();
  change: RedisCommands["change"] = (script, keys, ...args) => this.#client.change(script, keys, ...args);
  recheckEpoch(): void {}
}

function writesTo(redis: RedisProbe, clock: Clock = redis.clock, client: RedisCommands = redis.client) {
  const newName = () => crypto.randomUUID();
  const changes = new RedisChanges(client, redis.keyPrefix, { clock, timeoutMs: 5_000, newSender: newName });
  changes.disablePublishing();
  return new RedisEntryWrites(changes, redis.keyPrefix, { clock, newName });
}

/** The stored value's length and first letter. */
async function stored(redis: RedisProbe, key: CacheKey): Promise<string | undefined> {
  const bytes = await redis.bytes(key);
  return bytes && `${String.fromCharCode(bytes[0]!)} ${bytes.length}`;
}

/** All keys under the probe's prefix. */
async function keysOf(redis: RedisProbe): Promise<unknown> {
  return await redis.client.call("KEYS", `${redis.keyPrefix}*`);
}

testWithServers(
  ["redis"],
  "RedisEntryWrites changes the keys of one turn in one script, each in its order",
  async (servers) => {
    await using redis = await RedisProbe.open(servers.redis);
    const counter = new Counter(redis.client);
    const writes = writesTo(redis, redis.clock, counter);
    const [a, b, c] = [keyOf("a"), keyOf("b"), keyOf("c")];
    await writes.set(b, valueOf("0"), Infinity);
    counter.scripts.length = 0;
    await Promise.all([
      writes.set(a, valueOf("1"), Infinity),
      writes.set(a, valueOf("2"), 60_000),
      writes.delete(b),
      writes.delete(c),
      writes.set(c, valueOf("3"), Infinity),
    ]);
    assertEquals(counter.scripts.length, 1);
    assertEquals([await stored(redis, a), await stored(redis, b), await stored(redis, c)], [
      "2 2",
      undefined,
      "3 2",
    ]);
    const leftMs = await redis.timeLeftMs(a);
    assert(leftMs <= 60_000 && leftMs > 50_000, `${leftMs} ms`);
    assertEquals(await redis.timeLeftMs(c), Infinity);
  },
);

testWithServers(
  ["redis"],
  "RedisEntryWrites puts at most MAX_KEYS_WRITTEN keys into a script",
  async (servers) => {
    await using redis = await RedisProbe.open(servers.redis);
    const counter = new Counter(redis.client);
    const writes = writesTo(redis, redis.clock, counter);
    const keys = Array.from({ length: 2 * MAX_KEYS_WRITTEN + 1 }, (_, index) => keyOf(`${index}`));
    await Promise.all(keys.map((key) => writes.set(key, valueOf("x"), Infinity)));
    assertEquals(counter.scripts.map(({ length }) => length), [MAX_KEYS_WRITTEN, MAX_KEYS_WRITTEN, 1]);
    for (const key of keys) assertEquals(await stored(redis, key), "x 2");
  },
);

testWithServers(
  ["redis"],
  "RedisEntryWrites.set() stores a value of any size with its TTL, and no other key",
  async (servers) => {
    await using redis = await RedisProbe.open(servers.redis);
    const counter = new Counter(redis.client);
    const writes = writesTo(redis, redis.clock, counter);
    for (const bytes of SIZES) {
      for (const ttlMs of [60_000, Infinity, 4_000_000_000_000_000]) {
        const key = keyOf(`{${bytes}} ${ttlMs}`);
        await writes.set(key, valueOf("v", bytes), ttlMs);
        assertEquals(await stored(redis, key), `v ${bytes + 1}`);
        const leftMs = await redis.timeLeftMs(key);
        assert(leftMs === ttlMs || leftMs < ttlMs && leftMs > ttlMs - 10_000, `${leftMs} ms of ${ttlMs}`);
        assertEquals(await keysOf(redis), [redis.keyPrefix + key]);
        assertEquals(counter.scripts.splice(0).length, bytes > MAX_SCRIPT_VALUE_BYTES ? 0 : 1, "scripts");
        await redis.lose(key);
      }
    }
  },
);

testWithServers(
  ["redis"],
  "RedisEntryWrites makes no change after its deadline, and leaves no trace of it",
  async (servers) => {
    await using redis = await RedisProbe.open(servers.redis);
    // Deadlines by this clock are already past.
    const passed = () => redis.clock.monotonic() - 10_000;
    const slow: Clock = { ...redis.clock, monotonic: passed, monotonicOfTurn: passed };
    const writes = writesTo(redis, slow);
    const key = keyOf("k");
    await redis.put(key, new TextEncoder().encode("acknowledged"));
    for (
      const late of [
        () => writes.delete(key),
        ...SIZES.map((bytes) => () => writes.set(key, valueOf("l", bytes), 60_000)),
      ]
    ) {
      const error = await assertRejects(late, Error);
      assert(refusedLateAtMs(error) !== undefined, String(error));
      assertEquals(await stored(redis, key), "a 12");
    }
    assertEquals(await keysOf(redis), [redis.keyPrefix + key]);
  },
);

testWithServers(["redis"], "RedisEntryWrites needs no script that Redis knows", async (servers) => {
  await using redis = await RedisProbe.open(servers.redis);
  const writes = writesTo(redis);
  const key = keyOf("k");
  for (const bytes of SIZES) {
    await redis.client.call("SCRIPT", "FLUSH");
    await writes.set(key, valueOf("v", bytes), Infinity);
    assertEquals(await stored(redis, key), `v ${bytes + 1}`);
  }
  await redis.client.call("SCRIPT", "FLUSH");
  await writes.delete(key);
  assertEquals(await stored(redis, key), undefined);
});

testWithServers(
  ["redis"],
  "RedisEntryWrites rejects only the Set for which Redis has no memory",
  async () => {
    await using server = await startRedis();
    await using redis = await RedisProbe.open(server);
    const writes = writesTo(redis);
    const [a, b] = [keyOf("a"), keyOf("b")];
    await writes.set(a, valueOf("v"), Infinity);
    await writes.set(b, valueOf("v"), Infinity);
    assertEquals(await askRedis(server, "CONFIG SET maxmemory 1"), "+OK\r\n");
    const [set, removed, large] = await Promise.allSettled([
      writes.set(a, valueOf("w"), Infinity),
      writes.delete(b),
      writes.set(a, valueOf("w", 100_000), Infinity),
    ]);
    assertEquals(removed.status, "fulfilled");
    for (const failed of [set, large]) {
      assert(failed.status === "rejected" && failed.reason.message.startsWith("OOM"), JSON.stringify(failed));
    }
    assertEquals([await stored(redis, a), await stored(redis, b)], ["v 2", undefined]);
  },
);

testWithServers(
  ["redis"],
  "RedisEntryWrites.set() stores large values even if no second key can be used",
  async () => {
    await using server = await startRedis();
    await using redis = await RedisProbe.open(server);
    const writes = writesTo(redis);
    const noneInSlot = keyOf("a}b");
    await writes.set(noneInSlot, valueOf("v", 100_000), Infinity);
    assertEquals(await stored(redis, noneInSlot), "v 100001");
    for (const forbidden of ["-rename", "+rename -persist", "+persist -set", "+set"]) {
      // An account that may SET neither alone nor in a script cannot write.
      const isAllowed = !forbidden.includes("-set");
      assertEquals(await askRedis(server, `ACL SETUSER default ${forbidden}`), "+OK\r\n");
      const key = keyOf(forbidden);
      const done = await writes.set(key, valueOf("v", 100_000), Infinity).then(() => true, () => false);
      assertEquals(
        [done, await stored(redis, key)],
        [isAllowed, isAllowed ? "v 100001" : undefined],
        forbidden,
      );
      if (isAllowed) assertEquals(await redis.timeLeftMs(key), Infinity, forbidden);
    }
  },
);
