import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ConfigError } from "../../../../src/config/config_error.ts";
import { loadConfig } from "../../../../src/config/load.ts";
import { EMBEDDED, environmentOf, load, problemLines } from "../loading.ts";
import { withValueFile } from "./value_files.ts";

Deno.test("loadConfig() lets a variable override the file, and a flag override both", () => {
  const yaml =
    `${EMBEDDED}cache: { backfill_queue_size: 1, local: { disabled: false } }\nlog: { level: warn }`;
  const variables = {
    CACHESERVER_CACHE_BACKFILL_QUEUE_SIZE: "2",
    CACHESERVER_CACHE_LOCAL_DISABLED: "true",
    CACHESERVER_SERVER_GRPC_ADDR: "[::1]:0",
  };
  const { config } = load(yaml, { variables, flags: { "cache.backfill_queue_size": "3" } });
  assertEquals(config.cache.backfillQueueSize, 3);
  assertEquals(config.cache.local.disabled, true);
  assertEquals(config.server.grpc.hostname, "::1");
  assertEquals(config.server.grpc.port, 0);
  assertEquals(config.log.level, "warn");
});

Deno.test("loadConfig() ignores a wrong value that is overridden", () => {
  const yaml = `${EMBEDDED}log: { level: "\${GONE}" }`;
  assertEquals(load(yaml, { variables: { CACHESERVER_LOG_LEVEL: "error" } }).config.log.level, "error");
});

Deno.test("loadConfig() names the variable or flag of a wrong value", () => {
  const variables = { CACHESERVER_LOG_LEVEL: "loud", CACHESERVER_DATA_REDIS_PASSWORD: "hunter2\n" };
  assertEquals(problemLines(EMBEDDED, { variables, flags: { "cache.backfill_queue_size": "1.5" } }), [
    "data.redis.password (from CACHESERVER_DATA_REDIS_PASSWORD): *** is not accepted; expected text without " +
    "control characters",
    'cache.backfill_queue_size (from flag): "1.5" is not a whole number; expected a whole number from 1 to 1000000',
    'log.level (from CACHESERVER_LOG_LEVEL): "loud" is not accepted; expected debug, info, warn, or error',
    "data.redis.addr: is missing; expected the host:port of Redis, or data.redis.sentinel or .cluster",
  ]);
});

Deno.test("loadConfig() names the origin of a wrong source", () => {
  const variables = { CACHESERVER_DATA_DATABASE_SOURCE: "root:hunter2" };
  const lines = problemLines("data: { database: { driver: mysql }, redis: { addr: h:6379 } }", { variables });
  assertEquals(lines.length, 1);
  assertStringIncludes(
    lines[0]!,
    "data.database.source (from CACHESERVER_DATA_DATABASE_SOURCE): *** is not a MySQL source; expected user:",
  );
});

Deno.test("loadConfig() refuses unknown variables and flags without showing their values", () => {
  const variables = {
    CACHESERVER_DATA_REDIS_PASSWRD: "hunter2",
    CACHESERVER_CONFIG: "x.yaml",
    CACHESERVER_SERVICE_HOST: "10.0.0.1",
    CACHESERVER_SERVICE_PORT_GRPC: "9000",
    CACHESERVER_PORT: "tcp://10.0.0.1:9000",
    CACHESERVER_PORT_9000_TCP_ADDR: "10.0.0.1",
    CACHESERVER_REDIS_SERVICE_HOST: "10.0.0.2",
    CACHESERVER_REDIS_SERVICE_PORT: "6379",
    CACHESERVER_REDIS_PORT: "tcp://10.0.0.2:6379",
    CACHESERVER_REDIS_PORT_6379_TCP: "tcp://10.0.0.2:6379",
    CACHESERVER_IMAGE: "cacheserver:1",
    CACHESERVER_TEST_REDIS: "redis://127.0.0.1:6379",
    CACHESERVER_DATA_REDIS_PORT: "6379",
    PATH: "/bin",
  };
  assertEquals(problemLines(EMBEDDED, { variables, flags: { "data.redis.pasword": "hunter2" } }), [
    "CACHESERVER_DATA_REDIS_PASSWRD: is not a known variable; expected CACHESERVER_DATA_REDIS_PASSWORD or another " +
    "name of configs/README.md",
    "CACHESERVER_DATA_REDIS_PORT: is not a known variable; expected CACHESERVER_DATA_REDIS_ADDR or another " +
    "name of configs/README.md",
    "data.redis.pasword: is not a known key; expected data.redis.password or another name of configs/README.md",
  ]);
});

Deno.test("loadConfig() accepts an environment that cannot be listed", () => {
  const { get } = environmentOf({ CACHESERVER_LOG_LEVEL: "debug", CACHESERVER_TYPO: "1" });
  const options = { path: "test.yaml", readFile: () => EMBEDDED };
  assertEquals(loadConfig({ ...options, env: { get } }).config.log.level, "debug");
  assertEquals(loadConfig({ ...options, env: { get, names: () => undefined } }).config.log.level, "debug");
});

Deno.test("loadConfig() names a variable that it may not read, and the permission", () => {
  const forbid = (forbidden: (name: string) => boolean) => {
    const get = (name: string) => {
      if (forbidden(name)) throw new Deno.errors.NotCapable(`Requires env access to "${name}"`);
      return undefined;
    };
    const yaml = `${EMBEDDED}log: { level: "\${LEVEL:info}" }`;
    return assertThrows(
      () => loadConfig({ path: "test.yaml", env: { get }, readFile: () => yaml }),
      ConfigError,
    ).message;
  };
  assertEquals(
    forbid((name) => name === "CACHESERVER_LOG_LEVEL"),
    "CACHESERVER_LOG_LEVEL: may not be read by this process; expected to be started with --allow-env=CACHESERVER_*",
  );
  assertEquals(
    forbid((name) => name.startsWith("CACHESERVER_")).replace(/\d+ more/, "N more"),
    "CACHESERVER_SERVER_HTTP_NETWORK: may not be read by this process (nor N more); expected to be started with " +
      "--allow-env=CACHESERVER_*",
  );
  assertEquals(
    forbid((name) => name === "LEVEL"),
    'log.level: "${LEVEL:info}" refers to LEVEL, which this process may not read; expected to be started with ' +
      "--allow-env=LEVEL",
  );
});

Deno.test("loadConfig() reads a key from the file that its variable with _FILE names, and shows that origin", async () => {
  await withValueFile("hunter2\n", (path) => {
    const variables = { CACHESERVER_DATA_REDIS_PASSWORD_FILE: path, CACHESERVER_DATA_REDIS_ADDR: "h:1" };
    const { config, describe } = load(EMBEDDED, { variables });
    assertEquals(config.data.redis?.password, "hunter2");
    assertStringIncludes(describe(), 'password: "***" # CACHESERVER_DATA_REDIS_PASSWORD_FILE');
    const flags = { "data.redis.password": "flag" };
    assertEquals(load(EMBEDDED, { variables, flags }).config.data.redis?.password, "flag");
  });
});

Deno.test("loadConfig() reads a reference of the configuration from a file as well", async () => {
  const yaml = `
data:
  database: { driver: mysql, source: "root:\${MYSQL_PASSWORD:root}@tcp(db)/d" }
  redis: { addr: "h:1", password: "\${REDIS_PASSWORD:}" }
`;
  await withValueFile("p@ss/w:\n", (path) => {
    const { config, describe } = load(yaml, { variables: { MYSQL_PASSWORD_FILE: path } });
    const { database, redis } = config.data;
    assertEquals(database.driver === "mysql" && database.password, "p@ss/w:");
    assertEquals(redis?.password, "");
    assertStringIncludes(describe(), "source: root:***@tcp(db)/d");
  });
});

Deno.test("loadConfig() reports a variable that names an unusable file", async () => {
  await withValueFile("hunter2", (path) => {
    const variables = {
      CACHESERVER_LOG_LEVEL: "info",
      CACHESERVER_LOG_LEVEL_FILE: path,
      CACHESERVER_DATA_REDIS_PASSWORD_FILE: "/nowhere/hunter2",
      CACHESERVER_DATA_REDIS_PASSWRD_FILE: "hunter2",
      LEVEL_FILE: "hunter2",
    };
    assertEquals(problemLines(`${EMBEDDED}log: { level: "\${LEVEL}" }`, { variables }), [
      "CACHESERVER_DATA_REDIS_PASSWRD_FILE: is not a known variable; expected CACHESERVER_DATA_REDIS_PASSWORD_FILE " +
      "or another name of configs/README.md",
      "CACHESERVER_DATA_REDIS_PASSWORD_FILE: names a file that does not exist; expected the path of a text file of " +
      "at most 64 KiB",
      "CACHESERVER_LOG_LEVEL_FILE: is set beside the variable without _FILE; expected one of the two",
      'log.level: "${LEVEL}" refers to LEVEL_FILE, which names a file that does not exist; expected the path of a ' +
      "text file of at most 64 KiB",
    ]);
  });
});

Deno.test("loadConfig() shows nothing of a file that was named for the wrong key", async () => {
  await withValueFile("hunter2", (path) => {
    const [override] = problemLines(EMBEDDED, { variables: { CACHESERVER_LOG_LEVEL_FILE: path } });
    assertEquals(
      override,
      "log.level (from CACHESERVER_LOG_LEVEL_FILE): *** is not accepted; expected debug, info, warn, or error",
    );
    const yaml = `${EMBEDDED}log: { level: "\${LEVEL}" }`;
    const [reference] = problemLines(yaml, { variables: { LEVEL_FILE: path } });
    assertEquals(reference, "log.level: *** is not accepted; expected debug, info, warn, or error");
  });
});
