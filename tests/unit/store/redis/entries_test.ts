import { assert, assertEquals, assertMatch } from "@std/assert";
import { cacheKey } from "../../../../src/core/key.ts";
import { MAX_BYTES_READ, MAX_KEYS_READ } from "../../../../src/store/redis/entries.ts";
import { RedisProbe } from "../../../support/redis/probe.ts";
import { testWithServers } from "../../../support/servers/servers.ts";

const keyOf = (name: string) => cacheKey("shop", name);

testWithServers(["redis"], "RedisEntries lets a key of another type fail alone", async (servers) => {
  await using redis = await RedisProbe.open(servers.redis);
  const entries = redis.entries;
  for (const name of ["a", "c"]) {
    await entries.write(keyOf(name), { value: new TextEncoder().encode(name), expiresAtMs: Infinity });
  }
  await redis.client.call("LPUSH", redis.keyPrefix + keyOf("list"), "2");
  const [a, list, none, c] = await Promise.allSettled(
    ["a", "list", "none", "c"].map((name) => entries.read(keyOf(name))),
  );
  const textOf = (read: typeof a) =>
    read?.status === "fulfilled" ? new TextDecoder().decode(read.value?.value) : "";
  assertEquals([textOf(a), textOf(c)], ["a", "c"]);
  assertEquals(none, { status: "fulfilled", value: undefined });
  assertMatch(String(list?.status === "rejected" && list.reason), /WRONGTYPE/);
});

testWithServers(["redis"], "RedisEntries reads values of any size, a few to a script", async (servers) => {
  await using redis = await RedisProbe.open(servers.redis);
  const entries = redis.entries;
  const value = new Uint8Array(MAX_BYTES_READ * 0.6).fill(1);
  const keys = Array.from({ length: 7 }, (_, index) => keyOf(`${index}`));
  await Promise.all(keys.map((key) => entries.write(key, { value, expiresAtMs: Infinity })));
  const found = await Promise.all(keys.map((key) => entries.read(key)));
  assertEquals(found.map((entry) => entry?.value.length), Array(7).fill(value.length));
});

testWithServers(["redis"], "RedisEntries says of each of many keys when it expires", async (servers) => {
  await using redis = await RedisProbe.open(servers.redis);
  const entries = redis.entries;
  // The longest has more than the 14 digits that Lua prints by default.
  const ttlsMs = [Infinity, 1_000_000, 4_000_000_000_000_000, 60_000];
  const beganMs = redis.clock.now();
  const all = Array.from({ length: 2 * MAX_KEYS_READ + 1 }, (_, index) => ({
    key: keyOf(`${index}`),
    expiresAtMs: beganMs + ttlsMs[index % ttlsMs.length]!,
  }));
  await Promise.all(
    all.map(({ key, expiresAtMs }) => entries.write(key, { value: new Uint8Array([7]), expiresAtMs })),
  );
  const found = await Promise.all(all.map(({ key }) => entries.read(key)));
  // Time passes between the computed TTL and the write, and between the read and its reply.
  const slackMs = redis.clock.now() - beganMs + 1;
  for (const [index, { expiresAtMs }] of all.entries()) {
    const foundMs = found[index]!.expiresAtMs;
    assert(
      foundMs === expiresAtMs || Math.abs(foundMs - expiresAtMs) <= slackMs,
      `${foundMs}, not ${expiresAtMs}`,
    );
  }
});
