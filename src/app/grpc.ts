/** Makes the gRPC transport that a configuration asks for. */
import { describeTransportError } from "../api/errors.ts";
import type { Config } from "../config/config.ts";
import type { GrpcConfig } from "../config/server.ts";
import { systemClock, systemRandom } from "../core/clock.ts";
import type { LogObserver } from "../observe/log_observer.ts";
import { DEFAULT_HTTP2_LIMITS } from "../transport/http2/limits.ts";
import { NativeGrpcServer, type NativeServerOptions } from "../transport/native/server.ts";
import type { GrpcServer } from "../transport/service.ts";

/** A request is at most its value and this much more: names, type, framing of the message. */
const REQUEST_OVERHEAD_BYTES = 64 * 1024;

/** What gRPC servers take unless they are told otherwise; never less, so that a too large value gets a clear answer. */
const DEFAULT_MAX_REQUEST_BYTES = 4 * 1024 * 1024;

/** The server, without services, not listening yet. Only who asks for grpc-js waits for it to be loaded. */
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
      const { GrpcJsServer } = await import("../transport/grpc_js/server.ts");
      return new GrpcJsServer(options);
    }
  }
}

/** The limits of the native transport in its own terms. */
export function nativeOptions(
  { limits, keepalive }: GrpcConfig,
): Required<Pick<NativeServerOptions, "limits" | "admission" | "age">> {
  const { maxConnections, maxConnectionsPerAddress, maxHeaderBytes, ...http2 } = limits;
  return {
    limits: {
      ...http2,
      // No packed block of a legal list is larger than the list.
      maxHeaderBlockBytes: Math.max(maxHeaderBytes, DEFAULT_HTTP2_LIMITS.maxHeaderBlockBytes),
      maxHeaderListBytes: maxHeaderBytes,
    },
    admission: { maxConnections, maxConnectionsPerAddress },
    age: keepalive,
  };
}
