import type { Endpoint } from "../../core/endpoint.ts";

/** The sentinels that name the master; asked again for each connection. */
export interface RedisSentinels {
  readonly masterName: string;
  readonly sentinels: readonly Endpoint[];
  /** Empty for the sentinels' default user. */
  readonly sentinelUsername: string;
  /** Empty for none. */
  readonly sentinelPassword: string;
}

/** The account, database and time-out of a connection. */
export interface RedisAccount {
  /** Empty for Redis's default user. */
  readonly username: string;
  /** Empty for none. */
  readonly password: string;
  readonly db: number;
  readonly connectTimeoutMs: number;
}

/** How to reach a Redis server. */
export type RedisClientOptions = RedisAccount & (Endpoint | RedisSentinels);

interface AccountOptions {
  username?: string;
  password?: string;
  db: number;
  connectTimeout: number;
}

interface ServerOptions {
  host: string;
  port: number;
}

interface SentinelOptions {
  name: string;
  sentinels: ServerOptions[];
  sentinelUsername?: string;
  sentinelPassword?: string;
  sentinelCommandTimeout: number;
  failoverDetector: boolean;
  sentinelReconnectStrategy: () => number;
}

type ConnectOptions = AccountOptions & (ServerOptions | SentinelOptions);

/** The longest pause between two attempts to listen to a sentinel for failovers. */
const SENTINEL_RECONNECT_DELAY_MS = 1000;

/** The options of ioredis. */
export function connectOptions(options: RedisClientOptions): ConnectOptions {
  const { username, password, db, connectTimeoutMs } = options;
  return {
    ...("sentinels" in options ? sentinelOptions(options) : { host: options.hostname, port: options.port }),
    ...(username !== "" && { username }),
    ...(password !== "" && { password }),
    db,
    connectTimeout: connectTimeoutMs,
  };
}

function sentinelOptions(options: RedisSentinels & RedisAccount): SentinelOptions {
  const { masterName, sentinels, sentinelUsername, sentinelPassword, connectTimeoutMs } = options;
  return {
    name: masterName,
    sentinels: sentinels.map(({ hostname, port }) => ({ host: hostname, port })),
    ...(sentinelUsername !== "" && { sentinelUsername }),
    ...(sentinelPassword !== "" && { sentinelPassword }),
    // A frozen sentinel must not delay the others.
    sentinelCommandTimeout: connectTimeoutMs,
    // The sentinels announce a new master: the old one may neither close nor answer.
    failoverDetector: true,
    sentinelReconnectStrategy: () => SENTINEL_RECONNECT_DELAY_MS,
  };
}
