import { assert, assertEquals } from "@std/assert";
import { configurationReference } from "../../../src/config/reference.ts";
import { PATHS } from "../../../src/config/schema.ts";

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
