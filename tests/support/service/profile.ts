import { DatabaseSync } from "node:sqlite";
import { TestDatabase } from "../mysql/database.ts";
import { freshKeyPrefix } from "../redis/redis.ts";
import type { TestServers } from "../servers/servers.ts";
import type { Endpoint } from "../../../src/core/endpoint.ts";
import { type ProgramOptions, runProgram, shippedConfig } from "./program.ts";
import { RedisKeys } from "./redis.ts";

/** Where a service keeps its data. Several services may share a profile, in turn or at once. */
export interface ServiceProfile extends AsyncDisposable {
  /** The configuration's file, as the repository ships it. */
  readonly config: string;
  /** The test's changes to it, by path. */
  readonly settings: Readonly<Record<string, string>>;
  readonly programOptions: ProgramOptions;
  /** The keys in all tiers below local memory, each prefixed by its tier. */
  stored(): Promise<string[]>;
}

/** Long enough on a busy machine; a test of time-outs sets its own. */
const PATIENCE = {
  "server.grpc.timeout": "10s",
  "data.database.query_timeout": "5s",
  "data.redis.read_timeout": "5s",
  "data.redis.write_timeout": "5s",
};

/** Local -> SQLite, the file in a temporary folder. */
export async function embeddedProfile(): Promise<ServiceProfile> {
  const folder = await Deno.makeTempDir({ prefix: "cacheserver-embedded-" });
  const path = `${folder}/data/cacheserver.db`;
  return {
    config: shippedConfig("config.embedded.yaml"),
    settings: { "server.grpc.timeout": PATIENCE["server.grpc.timeout"], "data.database.source": path },
    programOptions: { folder },
    stored: () => Promise.resolve(storedInSqlite(path)),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** Local -> Redis -> MySQL: a prefix and a database of the test's own, and views of both. */
export interface ServersProfile extends ServiceProfile {
  readonly redis: RedisKeys;
  readonly database: TestDatabase;
  /** Runs the program's own `migrate`, which has been done once when the profile is opened. */
  migrate(): Promise<void>;
}

/** Proxies through which the service reaches its servers. */
export interface ServersProfileOptions {
  /** A proxy to MySQL that the test can cut. */
  readonly mysqlPort?: number;
}

/** Opens a profile on these servers and creates its table. */
export async function serversProfile(
  servers: Pick<TestServers, "mysql"> & { readonly redis: Endpoint },
  options: ServersProfileOptions = {},
): Promise<ServersProfile> {
  await using resources = new AsyncDisposableStack();
  const keyPrefix = freshKeyPrefix();
  const redis = resources.use(new RedisKeys(servers.redis, keyPrefix));
  const database = resources.use(new TestDatabase(servers.mysql));
  const { user, password, hostname, port } = servers.mysql;
  const account = `${user}:${password}`;
  const source = (mysqlPort: number) =>
    `${account}@tcp(${hostname}:${mysqlPort})/${database.config.database}?parseTime=True&loc=Local`;
  const config = shippedConfig("config.local.yaml");
  const migrate = async () => {
    const settings = ["--set", `data.database.source=${source(port)}`];
    const { code, stderr } = await runProgram(["migrate", "-c", config, ...settings]);
    if (code !== 0) throw new Error(`Cannot migrate: ${stderr}`);
  };
  await migrate();
  const owned = resources.move();
  return {
    config,
    settings: {
      ...PATIENCE,
      "data.database.source": source(options.mysqlPort ?? port),
      "data.redis.addr": `${servers.redis.hostname}:${servers.redis.port}`,
      "data.redis.key_prefix": keyPrefix,
    },
    programOptions: {},
    async stored() {
      const rows = await database.rows<{ readonly secretID: string }>(
        "SELECT secretID FROM usercenter_secret",
      );
      return [
        ...(await redis.names()).map((name) => `redis ${name}`),
        ...rows.map(({ secretID }) => `mysql ${secretID}`),
      ];
    },
    redis,
    database,
    migrate,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A profile that finds Redis by these settings instead of its address. */
export async function discoveredProfile(
  mysql: TestServers["mysql"],
  redis: Endpoint,
  way: Readonly<Record<string, string>>,
): Promise<ServersProfile> {
  const profile = await serversProfile({ mysql, redis });
  const { "data.redis.addr": _, ...settings } = profile.settings;
  return {
    ...profile,
    // The configuration without Redis: a setting cannot remove an address, only add one.
    config: "configs/config.embedded.yaml",
    settings: { ...settings, "data.database.driver": "mysql", ...way },
    [Symbol.asyncDispose]: () => profile[Symbol.asyncDispose](),
  };
}

function storedInSqlite(path: string): string[] {
  const file = new DatabaseSync(path, { readOnly: true });
  try {
    return file.prepare("SELECT key AS name FROM entry UNION ALL SELECT secretId FROM secret").all()
      .map(({ name }) => `sqlite ${name}`);
  } finally {
    file.close();
  }
}
