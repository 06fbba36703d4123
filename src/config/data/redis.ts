/** The section `data.redis`: one server, the master that sentinels name, or a cluster. */
import { type Endpoint, endpointText } from "../../core/endpoint.ts";
import type { Problem } from "../config_error.ts";
import { key, kratosKey, optionalKey, secret } from "../key.ts";
import { isConfigured, missing, type SettingsOf, type ValuesOf, valuesOf } from "../settings.ts";
import { anyText, duration, integer, oneOf, remoteAddress, remoteAddresses } from "../value_type.ts";
import { breakerKeys, MAX_STORE_TIMEOUT_MS } from "./store_keys.ts";

export const REDIS_KEYS = {
  network: kratosKey("data.redis.network", oneOf("tcp"), "tcp", "A key of Kratos. Only tcp is supported."),
  addr: optionalKey(
    "data.redis.addr",
    remoteAddress(),
    "A single Redis server. Without data.redis, SQLite also holds namespaced entries (the embedded profile).",
  ),
  sentinel: {
    masterName: optionalKey(
      "data.redis.sentinel.master_name",
      anyText,
      "Instead of addr: the name of the master at the sentinels.",
    ),
    sentinels: optionalKey(
      "data.redis.sentinel.addrs",
      remoteAddresses(),
      "All or some of the sentinels: a list, or text with commas between.",
    ),
    sentinelUsername: key(
      "data.redis.sentinel.username",
      anyText,
      "",
      "The user at the sentinels; empty for their default user.",
    ),
    sentinelPassword: secret(
      key("data.redis.sentinel.password", anyText, "", "The password for the sentinels; empty for none."),
    ),
  },
  cluster: {
    seeds: optionalKey(
      "data.redis.cluster.addrs",
      remoteAddresses(),
      "Instead of addr: some nodes of a Redis Cluster. The others are found through them.",
    ),
  },
  username: key(
    "data.redis.username",
    anyText,
    "",
    "The user of Redis's access list; empty for the default user.",
  ),
  password: secret(key("data.redis.password", anyText, "", "The password; empty for none.")),
  db: key("data.redis.db", integer({ min: 0, max: 2 ** 31 - 1 }), 0, "The number of Redis's database."),
  keyPrefix: key("data.redis.key_prefix", anyText, "cacheserver:", "The beginning of every key in Redis."),
  connectTimeoutMs: key(
    "data.redis.connect_timeout",
    duration(),
    1000,
    "The longest a connection to Redis may take to open.",
  ),
  readTimeoutMs: key(
    "data.redis.read_timeout",
    duration(MAX_STORE_TIMEOUT_MS),
    200,
    "The longest a read from Redis may take.",
  ),
  writeTimeoutMs: key(
    "data.redis.write_timeout",
    duration(MAX_STORE_TIMEOUT_MS),
    200,
    "The longest a write to Redis may take.",
  ),
  breaker: breakerKeys("data.redis", "Redis"),
};

/** How Redis is found. */
export type RedisTopology =
  | { readonly kind: "standalone"; readonly address: Endpoint }
  | SentinelTopology
  /** Some nodes of the cluster. */
  | { readonly kind: "cluster"; readonly seeds: readonly Endpoint[] };

interface SentinelTopology {
  readonly kind: "sentinel";
  readonly masterName: string;
  readonly sentinels: readonly Endpoint[];
  readonly sentinelUsername: string;
  readonly sentinelPassword: string;
}

type RedisSettings = SettingsOf<typeof REDIS_KEYS>;
type RedisValues = ValuesOf<typeof REDIS_KEYS>;

export interface RedisConfig extends Omit<RedisValues, "addr" | "sentinel" | "cluster"> {
  readonly topology: RedisTopology;
}

/** What Config has of the section; undefined where it is not set, or has a problem. */
export function redisConfig(settings: RedisSettings): RedisConfig | undefined {
  const { addr, sentinel, cluster, ...rest } = valuesOf<typeof REDIS_KEYS>(settings);
  const topology = topologyOf({ addr, sentinel, cluster });
  return isConfigured(settings) && topology !== undefined ? { ...rest, topology } : undefined;
}

function topologyOf(
  { addr, sentinel, cluster }: Pick<RedisValues, "addr" | "sentinel" | "cluster">,
): RedisTopology | undefined {
  if (addr !== undefined) return { kind: "standalone", address: addr };
  if (cluster.seeds !== undefined) return { kind: "cluster", seeds: cluster.seeds };
  const { masterName, sentinels } = sentinel;
  if (masterName === undefined || sentinels === undefined) return undefined;
  return { ...sentinel, kind: "sentinel", masterName, sentinels };
}

/** What is wrong with the section beside values that could not be parsed. */
export function redisProblems(settings: RedisSettings, driver: "mysql" | "sqlite" | undefined): Problem[] {
  const { addr, sentinel, cluster } = settings;
  if (!isConfigured(settings)) return driver === "mysql" ? [NO_REDIS] : [];
  const topologies = Object.entries({ addr: { addr }, sentinel, cluster })
    .flatMap(([name, section]) => isConfigured(section) ? [name] : []);
  if (topologies.length === 0) {
    return missing(addr, "the host:port of Redis, or data.redis.sentinel or .cluster");
  }
  if (topologies.length > 1) {
    return [{
      path: "data.redis",
      wrong: `has ${new Intl.ListFormat("en").format(topologies)}`,
      accepted: "only one of addr, sentinel and cluster",
    }];
  }
  if (topologies[0] === "sentinel") {
    return [
      ...missing(sentinel.masterName, "the master's name, such as mymaster"),
      ...missing(sentinel.sentinels, "the host:port of each sentinel"),
    ];
  }
  return topologies[0] === "cluster" ? clusterProblems(settings) : [];
}

const NO_REDIS: Problem = {
  path: "data.redis",
  wrong: "is missing",
  accepted: "data.redis.addr: with driver mysql, Redis holds the truth of namespaced entries",
};

function clusterProblems({ db: { key: { path }, value } }: RedisSettings): Problem[] {
  if (value === 0) return [];
  return [{
    path,
    value: String(value),
    wrong: "is not in a cluster",
    accepted: "0, the only database that a cluster has",
  }];
}

/**
 * Where Redis is, as logs and errors show it, without a password: `127.0.0.1:6379`;
 * `mymaster of sentinels a:26379, b:26379`; `cluster of a:6379, b:6379`.
 */
export function redisAddress(topology: RedisTopology): string {
  switch (topology.kind) {
    case "standalone":
      return endpointText(topology.address);
    case "sentinel":
      return `${topology.masterName} of sentinels ${topology.sentinels.map(endpointText).join(", ")}`;
    case "cluster":
      return `cluster of ${topology.seeds.map(endpointText).join(", ")}`;
  }
}
