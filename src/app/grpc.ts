/** Makes the gRPC transport that a configuration asks for. */
import { describeTransportError } from "../api/errors.ts";
import type { Config } from "../config/config.ts";
import type { GrpcConfig } from "../config/server.ts";
import { systemClock, systemRandom } from "../core/clock.ts";
import type { LogObserver } from "../observe/log_observer.ts";
import { DEFAULT_HTTP2_LIMITS } from "../transport/http2/limits.ts";
import { isKnownGoodDeno, KNOWN_GOOD_DENO } from "../transport/grpc_js/deno_versions.ts";
import { NativeGrpcServer, type NativeServerOptions } from "../transport/native/server.ts";
import type { GrpcServer } from "../transport/service.ts";

/** The most bytes of a request beside its value: names, type, framing. */
const REQUEST_OVERHEAD_BYTES = 64 * 1024;

/** The default limit of gRPC servers. Never less, so that a value that is too large gets an error about the value. */
const DEFAULT_MAX_REQUEST_BYTES = 4 * 1024 * 1024;

/** The server, without services and not listening yet. grpc-js is loaded only if it is asked for. */
export async function grpcServer(
  { server: { grpc }, cache }: Config,
  observer: LogObserver,
): Promise<GrpcServer> {
  const options = {
    callTimeoutMs: grpc.timeoutMs,
    maxRequestBytes: Math.max(DEFAULT_MAX_REQUEST_BYTES, cache.maxValueBytes + REQUEST_OVERHEAD_BYTES),
    clock: systemClock,
    describeError: describeTransportError,
  };
  switch (grpc.transport) {
    case "native":
      return new NativeGrpcServer({
        ...options,
        ...nativeOptions(grpc),
        random: systemRandom,
        onError: (error, where) => observer.transportFailed(where, error),
        onClientFault: (peer, reason) => observer.clientEnded(peer, reason),
      });
    case "grpc_js": {
      const { deno } = Deno.version;
      if (!isKnownGoodDeno(deno)) observer.transportUnsafe("grpc_js", { deno, knownGood: KNOWN_GOOD_DENO });
      const { GrpcJsServer } = await import("../transport/grpc_js/server.ts");
      return new GrpcJsServer(options);
    }
  }
}

/** The limits of the configuration as the native transport takes them. */
export function nativeOptions(
  { limits, keepalive }: GrpcConfig,
): Required<Pick<NativeServerOptions, "limits" | "admission" | "age">> {
  const { maxConnections, maxConnectionsPerAddress, maxHeaderBytes, ...http2 } = limits;
  return {
    limits: {
      ...http2,
      // The encoded block of an allowed header list is no larger than the list.
      maxHeaderBlockBytes: Math.max(maxHeaderBytes, DEFAULT_HTTP2_LIMITS.maxHeaderBlockBytes),
      maxHeaderListBytes: maxHeaderBytes,
    },
    admission: { maxConnections, maxConnectionsPerAddress },
    age: keepalive,
  };
}
