import { assert, assertEquals } from "@std/assert";
import { fileVariableOf } from "../../../src/config/sources/environment.ts";
import { formatted, keysOf } from "../../../src/config/key.ts";
import { KEY_BY_PATH, KEYS, namesBelow, PATHS, variableOf } from "../../../src/config/schema.ts";

Deno.test("variableOf() derives a different variable for every key", () => {
  assertEquals(variableOf("data.redis.addr"), "CACHESERVER_DATA_REDIS_ADDR");
  assertEquals(variableOf("cache.local.max_bytes"), "CACHESERVER_CACHE_LOCAL_MAX_BYTES");
  assertEquals(new Set(PATHS.map(variableOf)).size, PATHS.length);
});

Deno.test("variableOf() never derives the variable that names the file of another key's value", () => {
  const variables = PATHS.map(variableOf);
  assertEquals(new Set([...variables, ...variables.map(fileVariableOf)]).size, 2 * PATHS.length);
});

Deno.test("KEYS has only defaults that their own type parses back", () => {
  for (const key of KEY_BY_PATH.values()) {
    if (key.default === undefined) continue;
    const parsed = key.type.parseText(formatted(key, key.default));
    assertEquals(parsed, { value: key.default as NonNullable<unknown> }, key.path);
  }
});

Deno.test("KEYS declares every key in the section of its path, and none twice", () => {
  const keys = Object.entries(KEYS).flatMap(([section, keys]) =>
    keysOf(keys).map((key) => [section, key] as const)
  );
  assertEquals(keys.filter(([section, { path }]) => !path.startsWith(`${section}.`)), []);
  assertEquals(keys.length, KEY_BY_PATH.size);
});

Deno.test("KEYS parses a largest connection age of 0 as never, and writes never as 0s", () => {
  const { type } = KEYS.server.grpc.keepalive.maxAgeMs;
  assertEquals([type.parse(0), type.parse("0s"), type.parseText("0")], Array(3).fill({ value: Infinity }));
  assertEquals(type.parseText("30m"), { value: 1_800_000 });
  assert("wrong" in type.parseText("-1s") && "wrong" in type.parseText("5"));
  assertEquals([type.format(Infinity), type.format(1_800_000)], ["0s", "30m"]);
});

Deno.test("KEYS masks the keys that hold a password, and no other", () => {
  assertEquals(PATHS.filter((path) => KEY_BY_PATH.get(path)?.secret), [
    "data.database.source",
    "data.redis.sentinel.password",
    "data.redis.password",
  ]);
});

Deno.test("KEY_BY_PATH has keys, not sections and not the properties of every object", () => {
  assert(KEY_BY_PATH.has("log.level"));
  for (const path of ["log", "", "log.level.x", "toString", "__proto__"]) {
    assertEquals(KEY_BY_PATH.has(path), false, path);
  }
});

Deno.test("namesBelow() lists keys and sections once each", () => {
  assertEquals(namesBelow(""), ["server", "data", "cache", "log"]);
  assertEquals(namesBelow("cache"), [
    "max_value_bytes",
    "local",
    "backfill_queue_size",
    "defaults",
    "secrets",
    "namespaces",
  ]);
});
