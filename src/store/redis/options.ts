import type { Endpoint } from "../../core/endpoint.ts";

/** Who knows where the master is; asked anew for each connection. */
export interface RedisSentinels {
  readonly masterName: string;
  readonly sentinels: readonly Endpoint[];
  /** Empty for the sentinels' default user. */
  readonly sentinelUsername: string;
  /** Empty when they ask for none. */
  readonly sentinelPassword: string;
}

/** How a client presents itself, wherever the server is. */
export interface RedisAccount {
  /** Empty for Redis's default user. */
  readonly username: string;
  /** Empty when the server asks for none. */
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

/** The options in the words of ioredis. */
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
    // A sentinel that is frozen must not keep the others from being asked.
    sentinelCommandTimeout: connectTimeoutMs,
    // The sentinels say when they have made another server the master: the old one may neither close nor answer.
    failoverDetector: true,
    sentinelReconnectStrategy: () => SENTINEL_RECONNECT_DELAY_MS,
  };
}
