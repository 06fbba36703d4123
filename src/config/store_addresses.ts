/** Where the stores of a configuration are, as logs and errors show it; holds no password. */
import { resolve } from "node:path";
import { endpointText } from "../core/endpoint.ts";
import type { MysqlConfig, RedisTopology, SqliteConfig } from "./config.ts";

/** `127.0.0.1:3306/cacheserver`, `/run/mysqld.sock/cacheserver`, or the absolute path of SQLite's file. */
export function databaseAddress(config: MysqlConfig | SqliteConfig): string {
  if (config.driver === "sqlite") return config.path === ":memory:" ? config.path : resolve(config.path);
  const { address, database } = config;
  return `${address.kind === "tcp" ? endpointText(address) : address.path}/${database}`;
}

/** `127.0.0.1:6379`; `mymaster of sentinels a:26379, b:26379`; `cluster of a:6379, b:6379`. */
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
