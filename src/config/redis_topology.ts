/** One server, sentinels or a cluster: which of them the settings say, and whether they say one thing. */
import type { RedisTopology } from "./config.ts";
import type { Problem } from "./config_error.ts";
import { isConfigured, missing, type Settings } from "./settings.ts";

/** What is wrong with how Redis is to be reached. */
export function redisProblems(settings: Settings): Problem[] {
  if (!isConfigured(settings, "data.redis")) return absenceProblems(settings);
  const named = namedTopologies(settings);
  if (named.length === 0) {
    return missing(settings, "data.redis.addr", "the host:port of Redis, or data.redis.sentinel or .cluster");
  }
  if (named.length > 1) {
    return [{
      path: "data.redis",
      wrong: `has ${new Intl.ListFormat("en").format(named)}`,
      accepted: "one of addr, sentinel and cluster, for there is one Redis",
    }];
  }
  if (named[0] === "sentinel") {
    return [
      ...missing(settings, "data.redis.sentinel.master_name", "the master's name, such as mymaster"),
      ...missing(settings, "data.redis.sentinel.addrs", "the host:port of each sentinel"),
    ];
  }
  return named[0] === "cluster" ? clusterProblems(settings) : [];
}

/** Undefined where an address or a name is not known, which is a problem. */
export function redisTopology(settings: Settings): RedisTopology | undefined {
  const address = settings["data.redis.addr"].value;
  if (address !== undefined) return { kind: "standalone", address };
  const seeds = settings["data.redis.cluster.addrs"].value;
  if (seeds !== undefined) return { kind: "cluster", seeds };
  const masterName = settings["data.redis.sentinel.master_name"].value;
  const sentinels = settings["data.redis.sentinel.addrs"].value;
  if (masterName === undefined || sentinels === undefined) return undefined;
  return {
    kind: "sentinel",
    masterName,
    sentinels,
    sentinelUsername: settings["data.redis.sentinel.username"].value,
    sentinelPassword: settings["data.redis.sentinel.password"].value,
  };
}

function namedTopologies(settings: Settings): ("addr" | "sentinel" | "cluster")[] {
  return [
    ...settings["data.redis.addr"].origin === "default" ? [] : ["addr" as const],
    ...(["sentinel", "cluster"] as const).filter((name) => isConfigured(settings, `data.redis.${name}`)),
  ];
}

function absenceProblems(settings: Settings): Problem[] {
  if (settings["data.database.driver"].value !== "mysql") return [];
  return [{
    path: "data.redis",
    wrong: "is missing",
    accepted: "data.redis.addr: with driver mysql, Redis holds the truth of namespaced entries",
  }];
}

function clusterProblems(settings: Settings): Problem[] {
  const db = settings["data.redis.db"].value;
  if (db === 0) return [];
  return [{
    path: "data.redis.db",
    value: String(db),
    wrong: "is not in a cluster",
    accepted: "0, the only database that a cluster has",
  }];
}
