/** Settings to Config: what keys say about each other is checked and applied here. */
import {
  defaultOptions,
  namespaceConfig,
  type NamespaceSettings,
  namespaceSettings,
  optionProblems,
  secretConfig,
} from "./cache_options.ts";
import type {
  CacheConfig,
  Config,
  GrpcLimitsConfig,
  HttpLimitsConfig,
  MysqlConfig,
  RedisConfig,
  SqliteConfig,
} from "./config.ts";
import type { BreakerThresholds } from "../core/policies.ts";
import type { Problem } from "./config_error.ts";
import { type DatabaseSourceReading, readDatabaseSource } from "./database_source.ts";
import type { OwnOptions } from "./namespace_source.ts";
import type { MysqlSource } from "./mysql_source.ts";
import { redisProblems, redisTopology } from "./redis_topology.ts";
import { isConfigured, missing, type Setting, type Settings } from "./settings.ts";
import { formatSize } from "./size.ts";
import { MAX_STORE_TIMEOUT_MS } from "./schema.ts";

/** What came of putting settings together. */
export interface Assembly {
  /** Undefined when there are problems. */
  readonly config: Config | undefined;
  readonly problems: readonly Problem[];
  /** The settings as they are used: with what follows from other keys. */
  readonly settings: Settings;
  /** The options of namespaces, likewise. */
  readonly namespaces: readonly NamespaceSettings[];
  /** The database's source as it may be shown. */
  readonly maskedSource: string;
}

/** Puts the settings together. A key that has had a problem before is not complained about again. */
export function assemble(given: Settings, own: ReadonlyMap<string, OwnOptions>): Assembly {
  const reading = readSource(given);
  const settings = withDerived(given, reading);
  const namespaces = namespaceSettings(own, given);
  const problems = [
    ...sourceProblems(given, reading),
    ...redisProblems(given),
    ...memoryProblems(given),
    ...fileProblems(given),
    ...optionProblems(given, own),
  ];
  const database = databaseConfig(settings, reading);
  const redis = isConfigured(settings, "data.redis") ? redisConfig(settings) : undefined;
  const config = database === undefined || problems.length > 0 ? undefined : {
    ...sections(settings),
    cache: cacheConfig(settings, namespaces),
    data: { database, redis },
  };
  return { config, problems, settings, namespaces, maskedSource: reading?.masked ?? "" };
}

/** Undefined where the driver or the source is not known. */
function readSource(settings: Settings): DatabaseSourceReading | undefined {
  const driver = settings["data.database.driver"].value;
  const source = settings["data.database.source"].value;
  return driver === undefined || source === undefined ? undefined : readDatabaseSource(driver, source);
}

/**
 * A key that nobody has set follows from one that somebody has: the time-outs from the source's parameters,
 * and the largest entry in memory from the memory that there is.
 */
function withDerived(settings: Settings, reading: DatabaseSourceReading | undefined): Settings {
  const mysql = reading?.source?.driver === "mysql" ? reading.source.mysql : undefined;
  const readWriteMs = [mysql?.readTimeoutMs, mysql?.writeTimeoutMs].filter((ms) => ms !== undefined);
  const queryTimeoutMs = readWriteMs.length === 0
    ? undefined
    : Math.min(Math.max(...readWriteMs), MAX_STORE_TIMEOUT_MS);
  const maxBytes = settings["cache.local.max_bytes"].value;
  const maxEntryBytes = Math.min(settings["cache.local.max_entry_bytes"].value, maxBytes);
  return {
    ...settings,
    "data.database.connect_timeout": derived(settings, "data.database.connect_timeout", mysql?.timeoutMs),
    "data.database.query_timeout": derived(settings, "data.database.query_timeout", queryTimeoutMs),
    "cache.local.max_entry_bytes": { ...settings["cache.local.max_entry_bytes"], value: maxEntryBytes },
    "cache.defaults.default_ttl": defaultOptions(settings).default_ttl,
  };
}

function derived(
  settings: Settings,
  path: "data.database.connect_timeout" | "data.database.query_timeout",
  fromSource: number | undefined,
): Setting<number> {
  if (fromSource === undefined || settings[path].origin !== "default") return settings[path];
  return { value: fromSource, origin: "data.database.source" };
}

/** One problem for both keys: it is often the first that a new user meets. */
const NO_DATABASE: Problem = {
  path: "data.database",
  wrong: "is missing",
  accepted:
    "driver mysql and a source; or, without any server, driver sqlite and the source data/cacheserver.db, " +
    "as in the embedded profile, which runs where no configuration is named",
};

function sourceProblems(settings: Settings, reading: DatabaseSourceReading | undefined): Problem[] {
  const { origin } = settings["data.database.source"];
  const where = origin === "file" ? {} : { origin };
  if (!isConfigured(settings, "data.database")) return [NO_DATABASE];
  return [
    ...missing(settings, "data.database.driver", "mysql or sqlite"),
    ...missing(settings, "data.database.source", "a Go DSN or mysql:// URL for mysql, a file for sqlite"),
    ...(reading?.faults ?? []).map((fault) => ({
      path: "data.database.source",
      ...where,
      value: reading!.masked,
      ...fault,
    })),
  ];
}

function memoryProblems(settings: Settings): Problem[] {
  const { value: maxBytes } = settings["cache.local.max_bytes"];
  const { value: maxEntryBytes, origin } = settings["cache.local.max_entry_bytes"];
  if (origin === "default" || maxEntryBytes <= maxBytes) return [];
  return [{
    path: "cache.local.max_entry_bytes",
    value: formatSize(maxEntryBytes),
    wrong: "is larger than the memory it goes to",
    accepted: `at most cache.local.max_bytes, which is ${formatSize(maxBytes)}`,
  }];
}

/** How many of the largest values a limited file has room for at least: one goes while another one comes. */
const LEAST_VALUES = 4;

function fileProblems(settings: Settings): Problem[] {
  const { value: maxBytes } = settings["data.database.max_bytes"];
  const leastBytes = LEAST_VALUES * settings["cache.max_value_bytes"].value;
  if (settings["data.database.driver"].value !== "sqlite" || maxBytes >= leastBytes) return [];
  return [{
    path: "data.database.max_bytes",
    value: formatSize(maxBytes),
    wrong: "is too small for the values that go there",
    accepted: `at least ${formatSize(leastBytes)}, which is ${LEAST_VALUES} times cache.max_value_bytes`,
  }];
}

function databaseConfig(
  settings: Settings,
  reading: DatabaseSourceReading | undefined,
): MysqlConfig | SqliteConfig | undefined {
  const source = reading?.source;
  if (source === undefined) return undefined;
  return source.driver === "sqlite"
    ? { ...source, maxBytes: settings["data.database.max_bytes"].value }
    : mysqlConfig(settings, source.mysql);
}

function mysqlConfig(settings: Settings, source: MysqlSource): MysqlConfig {
  const { address, user, password, database, location, charset, tls } = source;
  return {
    driver: "mysql",
    address,
    user,
    password,
    database,
    location,
    charset,
    tls,
    table: settings["data.database.table"].value,
    connectTimeoutMs: settings["data.database.connect_timeout"].value,
    queryTimeoutMs: settings["data.database.query_timeout"].value,
    maxConnections: settings["data.database.max_connections"].value,
    breaker: breakerConfig(settings, "data.database"),
  };
}

/** Undefined where it is not known how to reach Redis. */
function redisConfig(settings: Settings): RedisConfig | undefined {
  const topology = redisTopology(settings);
  return topology && {
    topology,
    username: settings["data.redis.username"].value,
    password: settings["data.redis.password"].value,
    db: settings["data.redis.db"].value,
    keyPrefix: settings["data.redis.key_prefix"].value,
    connectTimeoutMs: settings["data.redis.connect_timeout"].value,
    readTimeoutMs: settings["data.redis.read_timeout"].value,
    writeTimeoutMs: settings["data.redis.write_timeout"].value,
    breaker: breakerConfig(settings, "data.redis"),
  };
}

function breakerConfig(settings: Settings, section: "data.database" | "data.redis"): BreakerThresholds {
  return {
    failureRatio: settings[`${section}.breaker.failure_ratio`].value,
    minCalls: settings[`${section}.breaker.min_calls`].value,
    windowMs: settings[`${section}.breaker.window`].value,
    probeDelayMs: settings[`${section}.breaker.probe_delay`].value,
  };
}

function sections(settings: Settings): Omit<Config, "data" | "cache"> {
  return {
    server: {
      drainDelayMs: settings["server.drain_delay"].value,
      grpc: {
        ...settings["server.grpc.addr"].value,
        timeoutMs: settings["server.grpc.timeout"].value,
        transport: settings["server.grpc.transport"].value,
        drainTimeoutMs: settings["server.grpc.drain_timeout"].value,
        limits: grpcLimits(settings),
        keepalive: {
          keepaliveTimeMs: settings["server.grpc.keepalive.time"].value,
          keepaliveTimeoutMs: settings["server.grpc.keepalive.timeout"].value,
          maxAgeMs: settings["server.grpc.keepalive.max_connection_age"].value,
          maxAgeGraceMs: settings["server.grpc.keepalive.max_connection_age_grace"].value,
        },
      },
      http: {
        ...settings["server.http.addr"].value,
        timeoutMs: settings["server.http.timeout"].value,
        limits: httpLimits(settings),
      },
    },
    log: { level: settings["log.level"].value },
  };
}

function cacheConfig(settings: Settings, namespaces: readonly NamespaceSettings[]): CacheConfig {
  return {
    maxValueBytes: settings["cache.max_value_bytes"].value,
    local: {
      disabled: settings["cache.local.disabled"].value,
      maxBytes: settings["cache.local.max_bytes"].value,
      maxEntryBytes: settings["cache.local.max_entry_bytes"].value,
      maxStaleMs: settings["cache.local.max_stale"].value,
    },
    backfillQueueSize: settings["cache.backfill_queue_size"].value,
    defaults: namespaceConfig(defaultOptions(settings)),
    namespaces: namespaces.map(({ name, options }) => ({ name, ...namespaceConfig(options) })),
    secrets: secretConfig(settings),
  };
}

function httpLimits(settings: Settings): HttpLimitsConfig {
  return {
    maxConnections: settings["server.http.limits.max_connections"].value,
    maxConnectionsPerAddress: settings["server.http.limits.max_connections_per_address"].value,
    headerTimeoutMs: settings["server.http.limits.header_timeout"].value,
    idleTimeoutMs: settings["server.http.limits.idle_timeout"].value,
  };
}

function grpcLimits(settings: Settings): GrpcLimitsConfig {
  return {
    maxConnections: settings["server.grpc.limits.max_connections"].value,
    maxConnectionsPerAddress: settings["server.grpc.limits.max_connections_per_address"].value,
    maxConcurrentStreams: settings["server.grpc.limits.max_concurrent_streams"].value,
    maxHeaderBytes: settings["server.grpc.limits.max_header_bytes"].value,
    maxContinuationFrames: settings["server.grpc.limits.max_continuation_frames"].value,
    maxQueuedOutputBytes: settings["server.grpc.limits.max_queued_output_bytes"].value,
    oddFrames: {
      burst: settings["server.grpc.limits.odd_frames_burst"].value,
      perSecond: settings["server.grpc.limits.odd_frames_per_second"].value,
    },
    prefaceTimeoutMs: settings["server.grpc.limits.preface_timeout"].value,
    partialFrameTimeoutMs: settings["server.grpc.limits.partial_frame_timeout"].value,
    uploadTimeoutMs: settings["server.grpc.limits.upload_timeout"].value,
    stalledOutputTimeoutMs: settings["server.grpc.limits.stalled_output_timeout"].value,
    idleTimeoutMs: settings["server.grpc.limits.idle_timeout"].value,
  };
}
