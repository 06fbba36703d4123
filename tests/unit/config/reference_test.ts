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

Deno.test("configurationReference() lists the accepted values of each key", () => {
  const meanings = new Map(configurationReference().map(({ path, meaning }) => [path, meaning]));
  const accepted = (path: string) => /Accepted: (.*)\.$/.exec(meanings.get(path) ?? "")?.[1];
  assertEquals(
    [
      "server.grpc.addr",
      "server.grpc.transport",
      "server.grpc.limits.max_header_bytes",
      "server.grpc.keepalive.max_connection_age",
      "data.database.max_bytes",
      "data.redis.breaker.failure_ratio",
      "cache.local.disabled",
      "cache.defaults.jitter",
    ].map(accepted),
    [
      "host:port",
      "native or grpc_js",
      "1KiB to 1MiB",
      "1ms to 576h, or 0",
      "8MiB to 1024GiB, or 0",
      "above 0 and up to 1",
      "true or false",
      "from 0 to below 1",
    ],
  );
});
