/** The section `server`: where gRPC and HTTP listen, and what their clients may do. */
import type { Endpoint } from "../core/endpoint.ts";
import { key, kratosKey } from "./key.ts";
import type { ValuesOf } from "./settings.ts";
import { GiB, KiB, MiB } from "./size.ts";
import {
  duration,
  durationOrNever,
  durationOrZero,
  integer,
  listenAddress,
  oneOf,
  size,
} from "./value_type.ts";

const connections = integer({ min: 1, max: 1_000_000 });

const HTTP_KEYS = {
  network: kratosKey("server.http.network", oneOf("tcp"), "tcp", "A key of Kratos. Only tcp is supported."),
  addr: key(
    "server.http.addr",
    listenAddress(),
    { hostname: "127.0.0.1", port: 8000 },
    "Where HTTP is served: the probes GET /healthz and /readyz. Port 0 takes a free one.",
  ),
  timeout: kratosKey(
    "server.http.timeout",
    duration(),
    1000,
    "A key of Kratos. Checked but not used: probes are answered at once.",
  ),
  limits: {
    maxConnections: key(
      "server.http.limits.max_connections",
      connections,
      4096,
      "The most connections at once. Further ones are closed unanswered.",
    ),
    maxConnectionsPerAddress: key(
      "server.http.limits.max_connections_per_address",
      connections,
      3072,
      "The most connections at once from one client address, so that one client cannot take all of them.",
    ),
    headerTimeoutMs: key(
      "server.http.limits.header_timeout",
      duration(),
      10_000,
      "The longest from connecting until the headers of the first request have arrived.",
    ),
    idleTimeoutMs: key(
      "server.http.limits.idle_timeout",
      duration(),
      75_000,
      "The longest from a request until its answer has been read, or the next request of the connection arrives.",
    ),
  },
};

const GRPC_KEYS = {
  network: kratosKey("server.grpc.network", oneOf("tcp"), "tcp", "A key of Kratos. Only tcp is supported."),
  addr: key(
    "server.grpc.addr",
    listenAddress(),
    { hostname: "127.0.0.1", port: 9000 },
    "Where gRPC is served. Port 0 takes a free one; no host means all addresses of the machine.",
  ),
  timeoutMs: key(
    "server.grpc.timeout",
    duration(),
    1000,
    "The longest a call may take once its request is complete, even if its client allows more.",
  ),
  transport: key(
    "server.grpc.transport",
    oneOf("native", "grpc_js"),
    "native",
    "The implementation of gRPC. grpc_js is slower and ignores server.grpc.limits and server.grpc.keepalive.",
  ),
  drainTimeoutMs: key(
    "server.grpc.drain_timeout",
    duration(),
    10_000,
    "How long calls in flight may go on after SIGTERM, SIGINT or SIGHUP and server.drain_delay.",
  ),
  limits: {
    maxConnections: key(
      "server.grpc.limits.max_connections",
      connections,
      1024,
      "The most connections at once. Further ones are closed unanswered. The kernel may buffer 4MiB for each client that does not read.",
    ),
    maxConnectionsPerAddress: key(
      "server.grpc.limits.max_connections_per_address",
      connections,
      768,
      "The most connections at once from one client address, so that one client cannot take all of them.",
    ),
    maxConcurrentStreams: key(
      "server.grpc.limits.max_concurrent_streams",
      integer({ min: 1, max: 1024 }),
      256,
      "The most calls at once on one connection. Further ones are refused, and clients retry them.",
    ),
    maxHeaderBytes: key(
      "server.grpc.limits.max_header_bytes",
      size({ min: KiB, max: MiB }),
      16 * KiB,
      "The largest headers of a call, decompressed. Larger ones are RESOURCE_EXHAUSTED; above 64KiB compressed, the connection ends.",
    ),
    maxContinuationFrames: key(
      "server.grpc.limits.max_continuation_frames",
      integer({ min: 1, max: 1024 }),
      8,
      "The most CONTINUATION frames that the headers of one call may arrive in.",
    ),
    maxQueuedOutputBytes: key(
      "server.grpc.limits.max_queued_output_bytes",
      size({ min: 64 * KiB, max: GiB }),
      MiB,
      "While a client leaves more than this of its answers unread, nothing more is read from its connection.",
    ),
    controlFrames: {
      burst: key(
        "server.grpc.limits.odd_frames_burst",
        integer({ min: 1, max: 1_000_000 }),
        1000,
        "The most control frames at once on one connection that serve no call: early resets, PING, SETTINGS, empty DATA.",
      ),
      perSecond: key(
        "server.grpc.limits.odd_frames_per_second",
        integer({ min: 1, max: 1_000_000 }),
        33,
        "The most of these frames per second after the burst.",
      ),
    },
    prefaceTimeoutMs: key(
      "server.grpc.limits.preface_timeout",
      duration(),
      5000,
      "The longest from connecting until the preface of HTTP/2 has arrived.",
    ),
    partialFrameTimeoutMs: key(
      "server.grpc.limits.partial_frame_timeout",
      duration(),
      10_000,
      "The longest until the rest of a frame, or of the headers of a call, has arrived.",
    ),
    uploadTimeoutMs: key(
      "server.grpc.limits.upload_timeout",
      duration(),
      30_000,
      "The longest a request may take to arrive. Some of it must arrive every 10s.",
    ),
    stalledOutputTimeoutMs: key(
      "server.grpc.limits.stalled_output_timeout",
      duration(),
      30_000,
      "The longest a client may read nothing of the answers that wait for it.",
    ),
    idleTimeoutMs: key(
      "server.grpc.limits.idle_timeout",
      duration(),
      15 * 60_000,
      "A connection without a call ends after this. Clients connect again for their next call.",
    ),
  },
  keepalive: {
    keepaliveTimeMs: key(
      "server.grpc.keepalive.time",
      duration(),
      2 * 3_600_000,
      "After this time without a frame, the server checks by PING whether the client is still connected.",
    ),
    keepaliveTimeoutMs: key(
      "server.grpc.keepalive.timeout",
      duration(),
      20_000,
      "The longest until the client has answered the PING.",
    ),
    maxAgeMs: key(
      "server.grpc.keepalive.max_connection_age",
      durationOrNever(),
      Infinity,
      "After this time, plus or minus a tenth, the client is asked to reconnect, which spreads load over new replicas. 0: never.",
    ),
    maxAgeGraceMs: key(
      "server.grpc.keepalive.max_connection_age_grace",
      duration(),
      60_000,
      "How long calls in flight on that connection may then go on.",
    ),
  },
};

export const SERVER_KEYS = {
  http: HTTP_KEYS,
  drainDelayMs: key(
    "server.drain_delay",
    durationOrZero(),
    0,
    "How long calls are still accepted while /readyz and health report draining, so that balancers notice in time.",
  ),
  grpc: GRPC_KEYS,
};

/** Where to listen, instead of the key `addr`. */
type Listening<V> = Endpoint & Omit<V, "addr">;

export type HttpConfig = Listening<ValuesOf<typeof HTTP_KEYS>>;

export type GrpcConfig = Listening<ValuesOf<typeof GRPC_KEYS>>;

export interface ServerConfig {
  readonly drainDelayMs: number;
  readonly http: HttpConfig;
  readonly grpc: GrpcConfig;
}

/** What Config has of the section. */
export function serverConfig({ http, grpc, ...rest }: ValuesOf<typeof SERVER_KEYS>): ServerConfig {
  return { ...rest, http: listening(http), grpc: listening(grpc) };
}

function listening<V extends { readonly addr: Endpoint }>({ addr, ...rest }: V): Listening<V> {
  return { ...addr, ...rest };
}
