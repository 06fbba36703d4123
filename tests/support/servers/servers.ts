/** The real servers that tests share, and the image builder; `deno task test` names them in the environment. */
import type { Endpoint } from "../../../src/core/endpoint.ts";

/** A MySQL or MariaDB that all tests share, with an account that may create databases: each test creates its own. */
export interface MysqlAddress {
  readonly hostname: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

export interface TestServers {
  /** Shared by all tests: use only keys under {@link import("../redis/redis.ts").freshKeyPrefix}. */
  readonly redis: Endpoint;
  readonly mysql: MysqlAddress;
  /** The folder of the image builder's storage. */
  readonly images: string;
}

/** The environment variable that names each server. */
export const SERVER_VARIABLES = {
  redis: "CACHESERVER_TEST_REDIS",
  mysql: "CACHESERVER_TEST_MYSQL",
  images: "CACHESERVER_TEST_IMAGES",
} as const satisfies Record<keyof TestServers, string>;

/**
 * The servers that the environment names: `redis://host:port`, `mysql://user:password@host:port`, the folder for images.
 */
export function testServers(): Partial<TestServers> {
  const redis = serverUrl("redis", 6379);
  const mysql = serverUrl("mysql", 3306);
  const images = Deno.env.get(SERVER_VARIABLES.images);
  return { ...(redis && { redis }), ...(mysql && { mysql }), ...(images && { images }) };
}

/**
 * Registers a test that needs real servers. It is ignored unless the environment names them all; `deno task test`
 * reports this as a skip, CI as a failure.
 */
export function testWithServers<Name extends keyof TestServers>(
  needed: readonly Name[],
  title: string,
  test: (servers: Pick<TestServers, Name>, t: Deno.TestContext) => void | Promise<void>,
): void {
  const servers = testServers();
  Deno.test({
    name: title,
    ignore: !hasAll(servers, needed),
    fn: (t) => {
      if (!hasAll(servers, needed)) throw new Error(`Cannot run without ${needed.join(" and ")}`);
      return test(servers, t);
    },
  });
}

function hasAll<Name extends keyof TestServers>(
  servers: Partial<TestServers>,
  needed: readonly Name[],
): servers is Partial<TestServers> & Pick<TestServers, Name> {
  return needed.every((name) => servers[name] !== undefined);
}

function serverUrl(name: "redis" | "mysql", defaultPort: number): MysqlAddress | undefined {
  const variable = SERVER_VARIABLES[name];
  const text = Deno.env.get(variable);
  if (text === undefined || text === "") return undefined;
  if (!URL.canParse(text) || new URL(text).protocol !== `${name}:`) {
    throw new Error(`Cannot use ${variable}=${text}: expected a URL that begins with ${name}://`);
  }
  const url = new URL(text);
  return {
    hostname: url.hostname,
    port: url.port === "" ? defaultPort : Number(url.port),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
  };
}
