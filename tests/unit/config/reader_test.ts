import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ConfigError } from "../../../src/config/config_error.ts";
import { EMBEDDED, load, problemLines } from "./loading.ts";

Deno.test("loadConfig() reports every problem at once, in one grammar", () => {
  const yaml = `
server:
  grpc: { adr: x, addr: localhost, timeout: 5, transport: foo, drain_timeout: 25d }
  http: [1]
data:
  database: { driver: mysql, source: "root:hunter2@tcp(db)/d?foo=1", table: "a b", max_connections: 1.5 }
  redis: { addr: 6379, read_timeout: 0s, write_timeout: 576h, db: "0", password: 1234, key_prefix: true }
cache: { max_value_bytes: 0, local: { disabled: "no", max_bytes: lots, max_entry_bytes: 2GiB } }
log:
`;
  const integers = (max: number, min: number) => `expected a whole number from ${min} to ${max}`;
  assertEquals(problemLines(yaml), [
    "server.grpc.adr: is not a known key; expected one of network, addr, timeout, transport, drain_timeout, " +
    "limits, keepalive (did you mean addr?)",
    "server.http: is a list, not a mapping; expected the keys network, addr, timeout, limits",
    "log: is empty, not a mapping; expected the keys level",
    'server.grpc.addr: "localhost" is not an address; expected host:port with a port from 0 to 65535, such as ' +
    "127.0.0.1:9000 or [::]:9000",
    "server.grpc.timeout: 5 is not a duration; expected a number with a unit such as 1s, 0.2s or 200ms",
    'server.grpc.transport: "foo" is not accepted; expected native or grpc_js',
    'server.grpc.drain_timeout: "25d" is not a duration; expected a number with a unit such as 1s, 0.2s or 200ms',
    'data.database.table: "a ..." is not accepted; expected a letter or _, then at most 56 letters, digits, _ or $',
    `data.database.max_connections: 1.5 is not a whole number; ${integers(10_000, 1)}`,
    "data.redis.addr: 6379 is not an address; expected host:port with a port from 1 to 65535, such as " +
    "127.0.0.1:6379",
    "data.redis.password: *** is not text; expected text without control characters, in quotes if YAML reads " +
    "it as another type",
    `data.redis.db: "0" is not a whole number; ${integers(2147483647, 0)}`,
    "data.redis.key_prefix: true is not text; expected text without control characters, in quotes if YAML reads " +
    "it as another type",
    'data.redis.read_timeout: "0s" is out of range; expected from 1ms to 10s',
    'data.redis.write_timeout: "576h" is out of range; expected from 1ms to 10s',
    "cache.max_value_bytes: 0 is out of range; expected from 1 to 256MiB",
    'cache.local.disabled: "no" is not a boolean; expected true or false',
    'cache.local.max_bytes: "lots" is not a size; expected a number of bytes, or one with a unit such as 512KiB ' +
    "or 64MiB",
    'cache.local.max_entry_bytes: "2GiB" is out of range; expected from 1 to 1GiB',
    'data.database.source: root:***@tcp(db)/d?foo=1 has the unknown parameter "foo"; expected only parseTime, ' +
    "loc, charset, tls, timeout, readTimeout, writeTimeout",
  ]);
});

Deno.test("ConfigError carries its problems one by one", () => {
  const error = assertThrows(() => load(`${EMBEDDED}log: { level: loud }`), ConfigError);
  assertEquals(error.problems, [{
    path: "log.level",
    value: '"loud"',
    wrong: "is not accepted",
    accepted: "debug, info, warn, or error",
  }]);
});

Deno.test("loadConfig() reports missing keys", () => {
  for (const text of ["", "log: { level: info }"]) {
    assertEquals(problemLines(text), [
      "data.database: is missing; expected driver mysql and a source; or, without any server, driver sqlite and " +
      "the source data/cacheserver.db, as in the embedded profile, which runs where no configuration is named",
    ]);
  }
  assertEquals(problemLines("data: { database: { driver: mysql }, redis: { addr: a:1 } }"), [
    "data.database.source: is missing; expected a Go DSN or mysql:// URL for mysql, a file for sqlite",
  ]);
  assertEquals(problemLines("data: { database: { source: x.db } }"), [
    "data.database.driver: is missing; expected mysql or sqlite",
  ]);
  assertEquals(problemLines("data: { database: { driver: mysql, source: r:p@tcp(h)/d } }"), [
    "data.redis: is missing; expected data.redis.addr: with driver mysql, Redis holds the truth of namespaced entries",
  ]);
  assertEquals(problemLines("data: { database: { driver: sqlite, source: x.db }, redis: { db: 1 } }"), [
    "data.redis.addr: is missing; expected the host:port of Redis, or data.redis.sentinel or .cluster",
  ]);
});

Deno.test("loadConfig() names the file when the file itself is not a mapping", () => {
  assertStringIncludes(
    problemLines("[1]")[0]!,
    "test.yaml: is a list, not a mapping; expected the keys server, data",
  );
  assertStringIncludes(problemLines("x")[0]!, "test.yaml: is a string, not a mapping");
});

Deno.test("loadConfig() accepts a limit of SQLite's file with room for values, or no limit", () => {
  const withLimit = (limit: string) =>
    `data: { database: { driver: sqlite, source: test.db, max_bytes: ${limit} } }\n`;
  const limitOf = (limit: string) => {
    const { database } = load(withLimit(limit)).config.data;
    return database.driver === "sqlite" ? database.maxBytes : undefined;
  };
  assertEquals(["0", "0MiB", "8MiB", "64MiB"].map(limitOf), [Infinity, Infinity, 2 ** 23, 2 ** 26]);
  assertEquals(problemLines(withLimit("7MiB")), [
    'data.database.max_bytes: "7MiB" is out of range; expected 0 for no limit, or from 8MiB to 1024GiB',
  ]);
  assertEquals(problemLines(`${withLimit("16MiB")}cache: { max_value_bytes: 8MiB }`), [
    "data.database.max_bytes: 16MiB is too small for the values that go there; expected at least 32MiB, which is 4 " +
    "times cache.max_value_bytes",
  ]);
});

Deno.test("loadConfig() refuses an entry limit above the memory only if that limit is set", () => {
  assertEquals(problemLines(`${EMBEDDED}cache: { local: { max_bytes: 1MiB, max_entry_bytes: 1025KiB } }`), [
    "cache.local.max_entry_bytes: 1025KiB is larger than the memory it goes to; expected at most " +
    "cache.local.max_bytes, which is 1MiB",
  ]);
  const { config } = load(`${EMBEDDED}cache: { local: { max_bytes: 1MiB } }`);
  assertEquals(config.cache.local.maxEntryBytes, 2 ** 20);
});

Deno.test("loadConfig() refuses a server's source under driver sqlite without showing it", () => {
  for (const source of ["root:hunter2@tcp(h)/d", "mysql://root:hunter2@h/d", "root:hunter2", "data/", ""]) {
    const yaml = `data: { database: { driver: sqlite, source: ${JSON.stringify(source)} } }`;
    assertEquals(problemLines(yaml), [
      "data.database.source: *** is not a file; expected with driver sqlite a path without : and @, such as data/cacheserver.db",
    ]);
  }
});

Deno.test("loadConfig() survives a file whose aliases form a circle", () => {
  assertEquals(
    problemLines("data: &a { database: *a }")[0],
    "data.database.database: is not a known key; expected " +
      "one of driver, source, table, connect_timeout, query_timeout, max_connections, max_bytes, breaker",
  );
});

Deno.test("loadConfig() accepts a breaker's ratio above 0 and up to 1", () => {
  const withRatio = (ratio: string) =>
    `data: { database: { driver: sqlite, source: x.db }, redis: { addr: h:1, breaker: { failure_ratio: ${ratio} } } }`;
  for (const ratio of ["1", "0.05", "1e-3", '"${RATIO}"']) {
    const { config } = load(withRatio(ratio), { variables: { RATIO: "0.05" } });
    assertEquals(config.data.redis?.breaker.failureRatio, ratio.startsWith('"') ? 0.05 : Number(ratio));
  }
  for (const ratio of ["0", "-0.5", "1.01", '"0.5"', "true"]) {
    assertEquals(problemLines(withRatio(ratio)), [
      `data.redis.breaker.failure_ratio: ${ratio} is not accepted; expected a number above 0 and up to 1, such as 0.5`,
    ]);
  }
});
