import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { ConfigError } from "../../../src/config/config_error.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { seededRandom, withSeed } from "../../support/seeded_random.ts";
import { EMBEDDED, environmentOf, load } from "./loading.ts";

const CONFIGS = new URL("../../../configs/", import.meta.url);
const SERVERS = `
data:
  database: { driver: mysql, source: "root:hunter2@tcp(db:3306)/d?timeout=3s&readTimeout=1s&writeTimeout=2s" }
  redis: { addr: "\${REDIS_HOST:redis}:6379", password: "\${REDIS_PASSWORD}", db: "\${REDIS_DB:2}" }
`;

function loadFile(name: string): ReturnType<typeof loadConfig> {
  return loadConfig({ path: `configs/${name}`, env: environmentOf({}), readFile: () => readConfig(name) });
}

function readConfig(name: string): string {
  return Deno.readTextFileSync(new URL(name, CONFIGS));
}

Deno.test("loadConfig() fills in every default", () => {
  assertEquals(load(EMBEDDED).config, {
    server: {
      drainDelayMs: 0,
      grpc: {
        hostname: "127.0.0.1",
        port: 9000,
        timeoutMs: 1000,
        transport: "native",
        drainTimeoutMs: 10_000,
        limits: {
          maxConnections: 1024,
          maxConnectionsPerAddress: 768,
          maxConcurrentStreams: 256,
          maxHeaderBytes: 16 * 1024,
          maxContinuationFrames: 8,
          maxQueuedOutputBytes: 2 ** 20,
          controlFrames: { burst: 1000, perSecond: 33 },
          prefaceTimeoutMs: 5_000,
          partialFrameTimeoutMs: 10_000,
          uploadTimeoutMs: 30_000,
          stalledOutputTimeoutMs: 30_000,
          idleTimeoutMs: 900_000,
        },
        keepalive: {
          keepaliveTimeMs: 7_200_000,
          keepaliveTimeoutMs: 20_000,
          maxAgeMs: Infinity,
          maxAgeGraceMs: 60_000,
        },
      },
      http: {
        hostname: "127.0.0.1",
        port: 8000,
        limits: {
          maxConnections: 4096,
          maxConnectionsPerAddress: 3072,
          headerTimeoutMs: 10_000,
          idleTimeoutMs: 75_000,
        },
      },
    },
    data: { database: { driver: "sqlite", path: "test.db", maxBytes: Infinity }, redis: undefined },
    cache: {
      maxValueBytes: 2 ** 20,
      local: { disabled: false, maxBytes: 2 ** 28, maxEntryBytes: 2 ** 21, maxStaleMs: 0 },
      backfillQueueSize: 10_000,
      defaults: {
        defaultTtlMs: Infinity,
        maxTtlMs: Infinity,
        jitter: 0,
        localTtlMs: Infinity,
        negativeTtlMs: 0,
        refreshAhead: 0,
      },
      namespaces: [],
      secrets: { jitter: 0, localTtlMs: Infinity, negativeTtlMs: 0, refreshAhead: 0 },
    },
    log: { level: "info" },
  });
});

Deno.test("loadConfig() expands references, also to numbers", () => {
  const { config } = load(SERVERS, { variables: { REDIS_PASSWORD: "${x}" } });
  assertEquals(config.data.redis, {
    topology: { kind: "standalone", address: { hostname: "redis", port: 6379 } },
    username: "",
    password: "${x}",
    db: 2,
    keyPrefix: "cacheserver:",
    connectTimeoutMs: 1000,
    readTimeoutMs: 200,
    writeTimeoutMs: 200,
    breaker: { failureRatio: 0.5, minCalls: 5, windowMs: 2_000, probeDelayMs: 200 },
  });
});

Deno.test("loadConfig() takes time-outs from the source unless their own key is set", () => {
  const variables = { REDIS_PASSWORD: "x" };
  const timeouts = (flags: Record<string, string>) => {
    const { database } = load(SERVERS, { variables, flags }).config.data;
    assert(database.driver === "mysql");
    return [database.connectTimeoutMs, database.queryTimeoutMs];
  };
  assertEquals(timeouts({}), [3000, 2000]);
  assertEquals(timeouts({ "data.database.query_timeout": "0.5s" }), [3000, 500]);
  assertEquals(timeouts({ "data.database.connect_timeout": "1s" }), [1000, 2000]);
});

Deno.test("loadConfig() freezes the configuration to its leaves", () => {
  const frozen = (value: unknown): boolean =>
    typeof value !== "object" || value === null ||
    Object.isFrozen(value) && Object.values(value).every(frozen);
  assert(frozen(load(SERVERS, { variables: { REDIS_PASSWORD: "x" } }).config));
});

Deno.test("loadConfig() takes a Kratos configuration unchanged", () => {
  const { config, describe } = load(`
server:
  http: { network: tcp, addr: 0.0.0.0:8000, timeout: 1s }
  grpc: { network: tcp, addr: 0.0.0.0:9000, timeout: 1s }
data:
  database: { driver: mysql, source: root:root@tcp(127.0.0.1:3306)/test?parseTime=True&loc=Local }
  redis: { network: tcp, addr: 127.0.0.1:6379, read_timeout: 0.2s, write_timeout: 0.2s }
`);
  const { hostname, port } = config.server.http;
  assertEquals({ hostname, port }, { hostname: "0.0.0.0", port: 8000 });
  assertStringIncludes(describe(), "    timeout: 1s # file\n");
});

Deno.test("loadConfig() reports in one line why a file cannot be read", () => {
  const messageFor = (failure: Error) => {
    const readFile = () => {
      throw failure;
    };
    return assertThrows(() => loadConfig({ path: "x.yaml", env: environmentOf({}), readFile }), ConfigError)
      .message;
  };
  assertEquals(
    messageFor(new Deno.errors.NotFound()),
    "x.yaml: does not exist; expected the path of a YAML file",
  );
  assertEquals(
    messageFor(new Deno.errors.NotCapable()),
    "x.yaml: may not be read by this process; expected to be started with --allow-read=x.yaml",
  );
  assertEquals(
    messageFor(new Deno.errors.PermissionDenied("Permission denied (os error 13)")),
    "x.yaml: cannot be read (Permission denied (os error 13)); expected a YAML file that this user may read",
  );
});

Deno.test("loadConfig() names the variable whose file it cannot read", () => {
  const readFile = () => {
    throw new Deno.errors.NotFound();
  };
  for (const [path, shown] of [["x.yaml", "x.yaml"], ["", '""']] as const) {
    const options = { path, pathOrigin: "CACHESERVER_CONFIG", env: environmentOf({}), readFile };
    assertEquals(
      assertThrows(() => loadConfig(options), ConfigError).message,
      `${shown} (from CACHESERVER_CONFIG): does not exist; expected the path of a YAML file`,
    );
  }
});

Deno.test("loadConfig() loads every file of configs/ without a problem", () => {
  const container = loadFile("config.yaml").config;
  assertEquals(container.server.grpc.hostname, "0.0.0.0");
  assertEquals(container.data.redis?.topology, {
    kind: "standalone",
    address: { hostname: "redis", port: 6379 },
  });
  assert(container.data.database.driver === "mysql");
  assertEquals(container.data.database.address, { kind: "tcp", hostname: "mysql", port: 3306 });

  const local = loadFile("config.local.yaml").config;
  assertEquals([local.server.grpc.hostname, local.server.grpc.port], ["127.0.0.1", 9000]);
  assertEquals(local.data.redis?.topology, {
    kind: "standalone",
    address: { hostname: "127.0.0.1", port: 6379 },
  });
  assert(local.data.database.driver === "mysql");
  assertEquals(local.data.database.location, "Local");

  const embedded = loadFile("config.embedded.yaml").config;
  assertEquals(embedded.server.grpc.hostname, "127.0.0.1");
  assertEquals(embedded.data, {
    database: { driver: "sqlite", path: "data/cacheserver.db", maxBytes: Infinity },
    redis: undefined,
  });
});

Deno.test("describe() shows every key in force with its origin, and no secret", () => {
  const loaded = load(SERVERS, {
    variables: { REDIS_PASSWORD: "sesame", CACHESERVER_CACHE_MAX_VALUE_BYTES: "2048" },
    flags: { "log.level": "debug" },
  });
  const description = loaded.describe();
  const expected = [
    `# ${Deno.cwd()}/test.yaml`,
    "    source: root:***@tcp(db:3306)/d?timeout=3s&readTimeout=1s&writeTimeout=2s # file",
    "    connect_timeout: 3s # data.database.source",
    "    addr: redis:6379 # file",
    '    username: "" # default',
    '    password: "***" # file',
    '    key_prefix: "cacheserver:" # default',
    "  max_value_bytes: 2KiB # CACHESERVER_CACHE_MAX_VALUE_BYTES",
    "  level: debug # flag",
  ];
  const lines = description.split("\n");
  assertEquals(expected.filter((line) => !lines.includes(line)), []);
  assertEquals(/hunter2|sesame/.test(description), false);
});

Deno.test("describe() gives text that loads to the same configuration where nothing is masked", () => {
  const text = readConfig("config.embedded.yaml");
  const flags = {
    "server.grpc.addr": "[::]:0",
    "data.database.source": "123",
    "data.redis.addr": "redis:6379",
    "data.redis.username": 'null # "quoted": \\ é',
    "data.redis.key_prefix": "- {a}:",
    "server.grpc.timeout": "1m1.5s",
    "cache.max_value_bytes": "1000",
  };
  const loaded = load(text, { flags });
  assertEquals(load(loaded.describe()).config, loaded.config);
  assertMatch(loaded.describe(), /addr: "\[::\]:0" # flag/);
});

Deno.test("describe() quotes any text so that YAML reads it back", async () => {
  const words = [
    "a",
    "1",
    ".",
    ":",
    " ",
    "#",
    "-",
    "'",
    '"',
    "\\",
    "e",
    "true",
    "null",
    "x",
    "0",
    "~",
    "*",
    "{",
    "é",
    "%",
  ];
  await withSeed((seed) => {
    const random = seededRandom(seed);
    for (let i = 0; i < 300; i++) {
      const pick = () => words[Math.floor(random() * words.length)];
      const prefix = Array.from({ length: Math.floor(random() * 6) }, pick).join("");
      const flags = { "data.redis.addr": "redis:6379", "data.redis.key_prefix": prefix };
      const { redis } = load(load(EMBEDDED, { flags }).describe()).config.data;
      assertEquals(redis?.keyPrefix, prefix);
    }
    return Promise.resolve();
  });
});
