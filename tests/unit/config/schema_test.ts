import { assert, assertEquals } from "@std/assert";
import { fileVariableOf } from "../../../src/config/environment.ts";
import { configurationReference } from "../../../src/config/reference.ts";
import type { Key } from "../../../src/config/key.ts";
import { isPath, KEYS, namesBelow, PATHS, textOf, variableOf } from "../../../src/config/schema.ts";

Deno.test("variableOf() derives one variable a key, different for all of them", () => {
  assertEquals(variableOf("data.redis.addr"), "CACHESERVER_DATA_REDIS_ADDR");
  assertEquals(variableOf("cache.local.max_bytes"), "CACHESERVER_CACHE_LOCAL_MAX_BYTES");
  assertEquals(new Set(PATHS.map(variableOf)).size, PATHS.length);
});

Deno.test("variableOf() never derives the variable that names the file of another key's value", () => {
  const variables = PATHS.map(variableOf);
  assertEquals(new Set([...variables, ...variables.map(fileVariableOf)]).size, 2 * PATHS.length);
});

Deno.test("KEYS has only defaults that their own kind reads back", () => {
  for (const path of PATHS) {
    const key: Key<unknown> = KEYS[path];
    if (key.default === undefined) continue;
    assertEquals(
      key.kind.readText(textOf(path, key.default)),
      { value: key.default as NonNullable<unknown> },
      path,
    );
  }
});

Deno.test("KEYS takes 0 for a connection that never grows too old, and writes it so", () => {
  const { kind } = KEYS["server.grpc.keepalive.max_connection_age"];
  assertEquals([kind.read(0), kind.read("0s"), kind.readText("0")], Array(3).fill({ value: Infinity }));
  assertEquals(kind.readText("30m"), { value: 1_800_000 });
  assert("wrong" in kind.readText("-1s") && "wrong" in kind.readText("5"));
  assertEquals([kind.format(Infinity), kind.format(1_800_000)], ["0s", "30m"]);
});

Deno.test("KEYS masks what holds a password, and nothing else", () => {
  assertEquals(PATHS.filter((path) => KEYS[path].secret), [
    "data.database.source",
    "data.redis.sentinel.password",
    "data.redis.password",
  ]);
});

Deno.test("isPath() takes keys, not sections and not what every object has", () => {
  assert(isPath("log.level"));
  for (const path of ["log", "", "log.level.x", "toString", "__proto__"]) {
    assertEquals(isPath(path), false, path);
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

Deno.test("configurationReference() has a row for every key, with its default as it would be written", () => {
  const rows = configurationReference();
  const paths = rows.map((row) => row.path);
  assertEquals(paths.filter((path) => path !== "cache.namespaces.NAME.OPTION"), [...PATHS]);
  assertEquals(paths.indexOf("cache.namespaces.NAME.OPTION"), paths.indexOf("cache.secrets.jitter") - 1);
  const defaultOf = (path: string) => rows.find((row) => row.path === path)?.default;
  assertEquals(defaultOf("server.grpc.addr"), "127.0.0.1:9000");
  assertEquals(defaultOf("data.redis.read_timeout"), "200ms");
  assertEquals(defaultOf("cache.local.max_bytes"), "256MiB");
  assertEquals(defaultOf("data.redis.password"), "");
  assertEquals(defaultOf("data.database.source"), undefined);
  for (const { path, meaning } of rows) assert(/^\S.*\.$/.test(meaning), path);
});
