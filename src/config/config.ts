/** The configuration that a run of the service uses: read once, checked whole, then frozen. */

import type { Endpoint } from "../core/endpoint.ts";
import type { BreakerThresholds, CopyPolicy } from "../core/policies.ts";

export interface GrpcConfig extends Endpoint {
  /** The longest a call may take once its request is complete, in ms, whatever deadline its client has set. */
  readonly timeoutMs: number;
  readonly transport: "native" | "grpc_js";
  /** How long calls in flight may go on after SIGTERM, in ms. */
  readonly drainTimeoutMs: number;
  readonly limits: GrpcLimitsConfig;
  readonly keepalive: KeepaliveConfig;
}

/** What clients may do before the native transport ends their connection, or takes none. */
export interface GrpcLimitsConfig {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  /** Calls at once on a connection. */
  readonly maxConcurrentStreams: number;
  /** Headers of a request, packed and unpacked. */
  readonly maxHeaderBytes: number;
  readonly maxContinuationFrames: number;
  /** Answers of a connection that its client does not read. */
  readonly maxQueuedOutputBytes: number;
  /** Frames that cost us work and the client nothing: `burst` at once, then `perSecond`. */
  readonly oddFrames: { readonly burst: number; readonly perSecond: number };
  readonly prefaceTimeoutMs: number;
  readonly partialFrameTimeoutMs: number;
  /** For a request to arrive. */
  readonly uploadTimeoutMs: number;
  readonly stalledOutputTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

/** How long a connection may live, and how a silent one is probed. */
export interface KeepaliveConfig {
  readonly keepaliveTimeMs: number;
  readonly keepaliveTimeoutMs: number;
  /** Infinity for never. */
  readonly maxAgeMs: number;
  readonly maxAgeGraceMs: number;
}

/** The HTTP side, which answers probes. */
export interface HttpConfig extends Endpoint {
  /** Kratos's key; nothing takes long enough to need it. */
  readonly timeoutMs: number;
  readonly limits: HttpLimitsConfig;
}

/** What clients of the HTTP side may do before their connection is closed, or none is taken. */
export interface HttpLimitsConfig {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly headerTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

export interface MysqlConfig {
  readonly driver: "mysql";
  /** `tcp` has hostname and port, `unix` a socket's path. */
  readonly address:
    | Endpoint & { readonly kind: "tcp" }
    | { readonly kind: "unix"; readonly path: string };
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** The time zone of the table's DATETIME columns: `UTC`, `Local` (this machine's) or an IANA name. */
  readonly location: string;
  readonly charset: string;
  /** `skip-verify` encrypts without checking the certificate. */
  readonly tls: "off" | "on" | "skip-verify" | "preferred";
  readonly table: string;
  readonly connectTimeoutMs: number;
  /** The longest one statement may take, in ms. */
  readonly queryTimeoutMs: number;
  readonly maxConnections: number;
  readonly breaker: BreakerThresholds;
}

export interface SqliteConfig {
  readonly driver: "sqlite";
  /** The database file; `:memory:` keeps nothing. */
  readonly path: string;
  /** The size of the file above which entries give way to new ones; Infinity for no limit. */
  readonly maxBytes: number;
}

/** One server; the master that sentinels name; or a cluster, of which some nodes are known. */
export type RedisTopology =
  | { readonly kind: "standalone"; readonly address: Endpoint }
  | {
    readonly kind: "sentinel";
    readonly masterName: string;
    readonly sentinels: readonly Endpoint[];
    readonly sentinelUsername: string;
    readonly sentinelPassword: string;
  }
  | { readonly kind: "cluster"; readonly seeds: readonly Endpoint[] };

export interface RedisConfig {
  readonly topology: RedisTopology;
  readonly username: string;
  readonly password: string;
  readonly db: number;
  /** Stands before every key that this service writes. */
  readonly keyPrefix: string;
  readonly connectTimeoutMs: number;
  readonly readTimeoutMs: number;
  readonly writeTimeoutMs: number;
  readonly breaker: BreakerThresholds;
}

export interface LocalCacheConfig {
  readonly disabled: boolean;
  /** The most that keys, values and their bookkeeping may take in memory. */
  readonly maxBytes: number;
  /** A larger entry is not kept in memory. */
  readonly maxEntryBytes: number;
  /** While Redis does not say what changes: how long memory may still answer; 0: not at all. */
  readonly maxStaleMs: number;
}

/** What a namespace has of its own; its jitter also counts for the times to live of its entries. */
export interface NamespaceConfig extends CopyPolicy {
  /** The time to live of an entry whose Set says none, in ms; Infinity: it never expires. */
  readonly defaultTtlMs: number;
  /** The longest time to live, in ms; Infinity for no limit. */
  readonly maxTtlMs: number;
}

export interface CacheConfig {
  /** The largest `value` of a Set, in bytes of `Any.value`. */
  readonly maxValueBytes: number;
  readonly local: LocalCacheConfig;
  /** How many entries may wait to be copied into Redis after a read; more are dropped. */
  readonly backfillQueueSize: number;
  /** Of namespaces that are not among {@link namespaces}. */
  readonly defaults: NamespaceConfig;
  readonly namespaces: readonly (NamespaceConfig & { readonly name: string })[];
  readonly secrets: CopyPolicy;
}

export interface LogConfig {
  readonly level: "debug" | "info" | "warn" | "error";
}

export interface Config {
  readonly server: {
    /** How long a drain is announced before calls are no longer taken, in ms. */
    readonly drainDelayMs: number;
    readonly grpc: GrpcConfig;
    readonly http: HttpConfig;
  };
  /** Without redis, the database holds namespaced entries as well (the embedded profile). */
  readonly data: {
    readonly database: MysqlConfig | SqliteConfig;
    readonly redis: RedisConfig | undefined;
  };
  readonly cache: CacheConfig;
  readonly log: LogConfig;
}
