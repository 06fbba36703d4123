/**
 * Every key of the configuration, once. The reader, the errors, `cacheserver check` and the README's table
 * all come from here.
 */
import { formatted, type Key, key, keyWithoutDefault, secret } from "./key.ts";
import {
  boolean,
  duration,
  durationOrNever,
  durationOrZero,
  integer,
  listenAddress,
  oneOf,
  ratio,
  remoteAddress,
  remoteAddresses,
  size,
  sizeOrUnlimited,
  text,
} from "./kind.ts";
import { forSecrets, NAMESPACE_KEYS } from "./namespace_keys.ts";

const KiB = 2 ** 10;
const MiB = 2 ** 20;
const GiB = 2 ** 30;

const anyText = text(() => true, "text without control characters");
/** Legal between backquotes in MySQL and MariaDB, whose names have at most 64 characters: `_outbox` is added. */
const identifier = text(
  (name) => /^[A-Za-z_][A-Za-z0-9_$]{0,56}$/.test(name),
  "a letter or _, then at most 56 letters, digits, _ or $",
);

/**
 * The longest that an operation on a store may be told to take: a tombstone, which stands for a minute, has to
 * outlast a request and all that it waits for.
 */
export const MAX_STORE_TIMEOUT_MS = 10_000;

/** The keys by path, in the order in which `check` and the README show them. */
export const KEYS = {
  "server.http.network": key(oneOf("tcp"), "tcp", "Kratos's key; tcp is all there is."),
  "server.http.addr": key(
    listenAddress(),
    { hostname: "127.0.0.1", port: 8000 },
    "Where probes ask, over HTTP: GET /healthz and /readyz. Port 0 takes a free one.",
  ),
  "server.http.timeout": key(
    duration(),
    1000,
    "Kratos's key; checked, and not used: probes are answered at once.",
  ),
  "server.http.limits.max_connections": key(
    integer({ min: 1, max: 1_000_000 }),
    4096,
    "Connections at once; further ones are closed unanswered.",
  ),
  "server.http.limits.max_connections_per_address": key(
    integer({ min: 1, max: 1_000_000 }),
    3072,
    "Connections at once from one client address, so that it cannot take all of them.",
  ),
  "server.http.limits.header_timeout": key(
    duration(),
    10_000,
    "The longest from connecting until the headers of the first request are there.",
  ),
  "server.http.limits.idle_timeout": key(
    duration(),
    75_000,
    "The longest from a request to the next of its connection, or to the end of its answer.",
  ),
  "server.drain_delay": key(
    durationOrZero(),
    0,
    "How long calls are still taken while /readyz and health say that the service drains, for balancers to notice.",
  ),
  "server.grpc.network": key(oneOf("tcp"), "tcp", "Kratos's key; tcp is all there is."),
  "server.grpc.addr": key(
    listenAddress(),
    { hostname: "127.0.0.1", port: 9000 },
    "Where gRPC is served. Port 0 takes a free one; no host means all addresses of the machine.",
  ),
  "server.grpc.timeout": key(
    duration(),
    1000,
    "The longest a call may take once its request is complete, whatever deadline its client set.",
  ),
  "server.grpc.transport": key(
    oneOf("native", "grpc_js"),
    "native",
    "The implementation of gRPC. grpc_js is slower, and limits and keepalive below do not count for it.",
  ),
  "server.grpc.drain_timeout": key(
    duration(),
    10_000,
    "How long calls in flight may go on after SIGTERM, SIGINT or SIGHUP and server.drain_delay.",
  ),
  "server.grpc.limits.max_connections": key(
    integer({ min: 1, max: 1_000_000 }),
    1024,
    "Connections at once; further ones are closed unanswered. The kernel may buffer 4MiB for each that does not read.",
  ),
  "server.grpc.limits.max_connections_per_address": key(
    integer({ min: 1, max: 1_000_000 }),
    768,
    "Connections at once from one client address, so that it cannot take all of them.",
  ),
  "server.grpc.limits.max_concurrent_streams": key(
    integer({ min: 1, max: 1024 }),
    256,
    "Calls at once on a connection; further ones are refused, which clients retry.",
  ),
  "server.grpc.limits.max_header_bytes": key(
    size({ min: KiB, max: MiB }),
    16 * KiB,
    "The headers of a call, unpacked; larger ones are RESOURCE_EXHAUSTED, above 64KiB packed GOAWAY.",
  ),
  "server.grpc.limits.max_continuation_frames": key(
    integer({ min: 1, max: 1024 }),
    8,
    "The CONTINUATION frames that the headers of a call may come in.",
  ),
  "server.grpc.limits.max_queued_output_bytes": key(
    size({ min: 64 * KiB, max: GiB }),
    MiB,
    "Answers that a client does not read: above this, nothing more is read from its connection.",
  ),
  "server.grpc.limits.odd_frames_burst": key(
    integer({ min: 1, max: 1_000_000 }),
    1000,
    "Frames of a connection that cost the server work and serve no call (early resets, PING, SETTINGS, empty DATA) at once.",
  ),
  "server.grpc.limits.odd_frames_per_second": key(
    integer({ min: 1, max: 1_000_000 }),
    33,
    "The same, for as long as it goes on.",
  ),
  "server.grpc.limits.preface_timeout": key(
    duration(),
    5000,
    "The longest a new connection may take to say that it speaks HTTP/2.",
  ),
  "server.grpc.limits.partial_frame_timeout": key(
    duration(),
    10_000,
    "The longest the rest of a frame, or of a call's headers, may be on its way.",
  ),
  "server.grpc.limits.upload_timeout": key(
    duration(),
    30_000,
    "The longest a request may take to arrive; some of it has to come every 10s.",
  ),
  "server.grpc.limits.stalled_output_timeout": key(
    duration(),
    30_000,
    "The longest a client may read nothing of what waits for it.",
  ),
  "server.grpc.limits.idle_timeout": key(
    duration(),
    15 * 60_000,
    "After this without a call a connection is ended; clients connect again when they have one.",
  ),
  "server.grpc.keepalive.time": key(
    duration(),
    2 * 3_600_000,
    "After this without a frame the server asks, by PING, whether the client is still there.",
  ),
  "server.grpc.keepalive.timeout": key(duration(), 20_000, "The longest the answer may take."),
  "server.grpc.keepalive.max_connection_age": key(
    durationOrNever(),
    Infinity,
    "After this, give or take a tenth, a client is asked to connect anew, which spreads load over new replicas; 0 for never.",
  ),
  "server.grpc.keepalive.max_connection_age_grace": key(
    duration(),
    60_000,
    "How long its calls in flight may go on then.",
  ),

  "data.database.driver": keyWithoutDefault(oneOf("mysql", "sqlite"), "mysql (also MariaDB) or sqlite."),
  "data.database.source": secret(keyWithoutDefault(
    anyText,
    "mysql: a Go DSN, user:password@tcp(host:port)/database?loc=UTC, or a mysql:// URL. sqlite: the file.",
  )),
  "data.database.table": key(
    identifier,
    "usercenter_secret",
    "MySQL's table of secrets; `_outbox` behind it is the table of changes that Redis was not told of.",
  ),
  "data.database.connect_timeout": key(
    duration(),
    2000,
    "The longest a connection to MySQL may take to open. If not set, the source's timeout.",
  ),
  "data.database.query_timeout": key(
    duration(MAX_STORE_TIMEOUT_MS),
    500,
    "The longest an operation on MySQL may take. If not set, the larger of the source's readTimeout and writeTimeout, up to 10s.",
  ),
  "data.database.max_connections": key(
    integer({ min: 1, max: 10_000 }),
    10,
    "The most connections to MySQL that are open at once.",
  ),
  "data.database.max_bytes": key(
    sizeOrUnlimited({ min: 8 * MiB, max: 1024 * GiB }),
    Infinity,
    "SQLite's file: above this, expired entries go first, then those written longest ago, secrets never. 0 for no limit.",
  ),
  "data.database.breaker.failure_ratio": key(
    ratio(),
    0.5,
    "MySQL is left alone once this share of the calls in the window has failed.",
  ),
  "data.database.breaker.min_calls": key(
    integer({ min: 1, max: 1_000_000 }),
    5,
    "With fewer calls in the window, MySQL is not left alone.",
  ),
  "data.database.breaker.window": key(duration(), 2000, "How far back calls to MySQL are counted."),
  "data.database.breaker.probe_delay": key(
    duration(),
    200,
    "How long MySQL is left alone before one call tries it again; doubles with each failure, up to 1s.",
  ),
  "data.redis.network": key(oneOf("tcp"), "tcp", "Kratos's key; tcp is all there is."),
  "data.redis.addr": keyWithoutDefault(
    remoteAddress(),
    "Redis, if it is one server. Without data.redis, SQLite holds namespaced entries as well (the embedded profile).",
  ),
  "data.redis.sentinel.master_name": keyWithoutDefault(
    anyText,
    "Instead of addr: the name under which sentinels know the master.",
  ),
  "data.redis.sentinel.addrs": keyWithoutDefault(
    remoteAddresses(),
    "The sentinels, or some of them: a list, or text with commas between.",
  ),
  "data.redis.sentinel.username": key(
    anyText,
    "",
    "The user at the sentinels; empty for their default user.",
  ),
  "data.redis.sentinel.password": secret(key(anyText, "", "The password for the sentinels; empty for none.")),
  "data.redis.cluster.addrs": keyWithoutDefault(
    remoteAddresses(),
    "Instead of addr: nodes of a Redis Cluster, of which one has to answer for the others to be found.",
  ),
  "data.redis.username": key(anyText, "", "The user of Redis's access list; empty for its default user."),
  "data.redis.password": secret(key(anyText, "", "The password; empty for none.")),
  "data.redis.db": key(integer({ min: 0, max: 2 ** 31 - 1 }), 0, "The number of Redis's database."),
  "data.redis.key_prefix": key(anyText, "cacheserver:", "Stands before every key that is written to Redis."),
  "data.redis.connect_timeout": key(duration(), 1000, "The longest a connection to Redis may take to open."),
  "data.redis.read_timeout": key(
    duration(MAX_STORE_TIMEOUT_MS),
    200,
    "The longest a read from Redis may take.",
  ),
  "data.redis.write_timeout": key(
    duration(MAX_STORE_TIMEOUT_MS),
    200,
    "The longest a write to Redis may take.",
  ),
  "data.redis.breaker.failure_ratio": key(
    ratio(),
    0.5,
    "Redis is left alone once this share of the calls in the window has failed.",
  ),
  "data.redis.breaker.min_calls": key(
    integer({ min: 1, max: 1_000_000 }),
    5,
    "With fewer calls in the window, Redis is not left alone.",
  ),
  "data.redis.breaker.window": key(duration(), 2000, "How far back calls to Redis are counted."),
  "data.redis.breaker.probe_delay": key(
    duration(),
    200,
    "How long Redis is left alone before one call tries it again; doubles with each failure, up to 1s.",
  ),

  "cache.max_value_bytes": key(size({ min: 1, max: 256 * MiB }), MiB, "The largest value that Set accepts."),
  "cache.local.disabled": key(boolean(), false, "true turns the local memory tier off."),
  "cache.local.max_bytes": key(
    size({ min: KiB, max: 1024 * GiB }),
    256 * MiB,
    "The most that local memory holds, keys and bookkeeping included. Garbage comes on top until it is collected.",
  ),
  "cache.local.max_entry_bytes": key(
    size({ min: 1, max: GiB }),
    2 * MiB,
    "A larger entry is not kept in local memory. At most cache.local.max_bytes.",
  ),
  "cache.local.max_stale": key(
    durationOrZero(),
    0,
    "While Redis cannot say what changes, local memory answers for at most this long. 0ms: not at all.",
  ),
  "cache.backfill_queue_size": key(
    integer({ min: 1, max: 1_000_000 }),
    10_000,
    "How many entries may wait to be copied into Redis after a read; more are dropped.",
  ),
  "cache.defaults.default_ttl": NAMESPACE_KEYS.default_ttl,
  "cache.defaults.max_ttl": NAMESPACE_KEYS.max_ttl,
  "cache.defaults.jitter": NAMESPACE_KEYS.jitter,
  "cache.defaults.local_ttl": NAMESPACE_KEYS.local_ttl,
  "cache.defaults.negative_ttl": NAMESPACE_KEYS.negative_ttl,
  "cache.defaults.refresh_ahead": NAMESPACE_KEYS.refresh_ahead,
  "cache.secrets.jitter": forSecrets("jitter"),
  "cache.secrets.local_ttl": forSecrets("local_ttl"),
  "cache.secrets.negative_ttl": forSecrets("negative_ttl"),
  "cache.secrets.refresh_ahead": forSecrets("refresh_ahead"),

  "log.level": key(oneOf("debug", "info", "warn", "error"), "info", "Less urgent lines are not written."),
} as const satisfies Readonly<Record<string, Key<unknown>>>;

/** The path of a key. */
export type Path = keyof typeof KEYS;

/** The type of a key's value. */
export type ValueOf<P extends Path> = (typeof KEYS)[P]["default"];

/** The paths of all keys. */
export const PATHS = Object.keys(KEYS) as readonly Path[];

/** Whether `path` is a key's. */
export function isPath(path: string): path is Path {
  return Object.hasOwn(KEYS, path);
}

/** A value of the key at `path` as it would be written. */
export function textOf(path: Path, value: unknown): string {
  return formatted(KEYS[path], value);
}

/** The section below which a name stands for a namespace, and has the options of NAMESPACE_KEYS. */
export const NAMESPACES = "cache.namespaces";

/** What stands before the path in the name of every variable that overrides a key. */
export const ENVIRONMENT_PREFIX = "CACHESERVER_" as const;

/** The variable that overrides a key: `CACHESERVER_DATA_REDIS_ADDR` for `data.redis.addr`. */
export function variableOf(path: Path): `CACHESERVER_${string}` {
  return `${ENVIRONMENT_PREFIX}${path.toUpperCase().replaceAll(".", "_")}`;
}

/** The names directly below a section such as `data.redis`, or below the root, which is the empty path. */
export function namesBelow(section: string): readonly string[] {
  const prefix = section === "" ? "" : section + ".";
  const below = [...PATHS, NAMESPACES].filter((path) => path.startsWith(prefix));
  return [...new Set(below.map((path) => path.slice(prefix.length).split(".", 1)[0]!))];
}
