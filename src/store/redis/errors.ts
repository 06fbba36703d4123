/** Classifies the errors of Redis and its driver. */
import { isUnreachable, withCauses } from "../error_causes.ts";

/** A failed connection to one sentinel. Other sentinels may still name the master. */
export class SentinelError extends Error {
  override readonly name = "SentinelError";
  /** `host:port` of the sentinel. */
  readonly address: string;

  constructor(address: string, cause: Error) {
    super(`Cannot ask sentinel ${address}`, { cause });
    this.address = address;
  }
}

/** First words of the errors of a server that serves no command at present. */
const NOT_SERVING = ["BUSY", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "NOAUTH"];

/** Whether Redis replied with an error. */
export function isRefusal(error: unknown): boolean {
  return error instanceof Error && error.name === "ReplyError";
}

/** Whether Redis's access list forbids the command. */
export function isForbidden(error: unknown): boolean {
  return error instanceof Error && isRefusal(error) && error.message.startsWith("NOPERM");
}

/**
 * Whether Redis refused one command but may serve others: a change without memory, replicas or a disk for it, or what its
 * access list forbids.
 */
export function isRefusalOfOne(error: unknown): boolean {
  return error instanceof Error && isRefusal(error) && !NOT_SERVING.includes(error.message.split(" ", 1)[0]!);
}

/** The topologies, which have different configuration keys. */
export type RedisTopologyKind = "standalone" | "sentinel" | "cluster";

const WHERE = {
  standalone: "data.redis.addr",
  sentinel: "data.redis.sentinel.addrs, data.redis.sentinel.master_name",
  cluster: "data.redis.cluster.addrs",
} as const satisfies Record<RedisTopologyKind, string>;

const REFUSED_ACCOUNT = /WRONGPASS|NOAUTH|invalid password/;

/** Configuration keys by error text of Redis and its driver. Source: Redis's commands AUTH, ACL, SELECT and CLUSTER. */
const KEYS: readonly (readonly [text: RegExp, keys: string])[] = [
  [REFUSED_ACCOUNT, "data.redis.username, data.redis.password"],
  [/^NOPERM/, "data.redis.username"],
  [/DB index is out of range|SELECT is not allowed/, "data.redis.db"],
  [/cluster support disabled/, "data.redis.cluster.addrs"],
];

const SENTINEL_ACCOUNT = "data.redis.sentinel.username, data.redis.sentinel.password";

/** The configuration keys to check after this error, or undefined. */
export function redisKeysOf(error: unknown, topology: RedisTopologyKind): string | undefined {
  const errors = withCauses(error);
  for (const each of errors) {
    const { message } = each;
    if (message.includes("sentinels are unreachable")) {
      return REFUSED_ACCOUNT.test(message) ? SENTINEL_ACCOUNT : WHERE.sentinel;
    }
    const known = KEYS.find(([pattern]) => pattern.test(message));
    if (known !== undefined) return known[1];
    if (isUnreachable(each)) return WHERE[topology];
  }
  return undefined;
}
