/**
 * The port between services and transports. Its types have the shapes of grpc-js, so that services written for it plug
 * in unchanged and without its package. Transports implement {@link GrpcServer}.
 */
import type { Clock } from "../core/clock.ts";
import type { Endpoint } from "../core/endpoint.ts";
import type { Metadata } from "./metadata.ts";
import { Status, type StatusCode } from "./status.ts";

/** Writes messages straight into the output: a buffer in between would cost a tenth of a call. */
export interface MessageWriter<T> {
  byteLength(message: T): number;
  /** Writes {@link byteLength} bytes from `at` on. */
  write(message: T, bytes: Uint8Array, at: number): void;
  /** The same bytes for a message that has to wait, in pieces that never change and need no copy. */
  pieces(message: T): readonly Uint8Array[];
}

/** One method of a service, as `@grpc/proto-loader` describes it. */
export interface MethodDefinition<Req, Res> {
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  /** `bytes` may be a view of a larger buffer and are valid only until this returns: copy what you keep. */
  requestDeserialize(bytes: Uint8Array): Req;
  responseSerialize(value: Res): Uint8Array;
  /** Writes the bytes that `responseSerialize` returns, for a transport that can write in place. */
  readonly responseWriter?: MessageWriter<Res>;
}

/** The methods of a service by name. */
// deno-lint-ignore no-explicit-any -- methods of one service differ in their message types, as in grpc-js
export type ServiceDefinition = Readonly<Record<string, MethodDefinition<any, any>>>;

/** Why a call failed, in grpc-js's shape. Details go out percent-encoded, metadata as trailers. */
export interface StatusObject {
  readonly code: StatusCode;
  readonly details: string;
  readonly metadata?: Metadata;
}

/** What every kind of call offers its handler. */
export interface ServerCall {
  /** The client's metadata. Parsed on first use. */
  readonly metadata: Metadata;
  /** Aborts when the client cancels, its deadline passes or the connection is lost. Made on first use. */
  readonly signal: AbortSignal;
  readonly cancelled: boolean;
  /** `/package.Service/Method`. */
  getPath(): string;
  /** `ip:port` of the client. */
  getPeer(): string;
  /** The client's deadline in ms since the Unix epoch; Infinity when it set none. */
  getDeadline(): Date | number;
  sendMetadata(metadata: Metadata): void;
}

/** A call with one request and one response. */
export interface UnaryCall<Req> extends ServerCall {
  readonly request: Req;
  /**
   * Calls `listener`, which must not throw, when {@link ServerCall.signal} aborts; at once if it has. Costs next to
   * nothing, while a listener of the signal costs half a microsecond.
   */
  whenCancelled(listener: () => void): void;
}

/** Ends a unary call with a response or with a status. `null` means absent, as in grpc-js. */
export type UnaryCallback<Res> = (
  error: StatusObject | null,
  value?: Res | null,
  trailer?: Metadata | null,
) => void;

/** Handles a unary call. May call back at once, in the same turn. */
export type UnaryHandler<Req, Res> = (call: UnaryCall<Req>, callback: UnaryCallback<Res>) => void;

/** Handlers by method name; streaming ones have grpc-js's shapes over Node streams. */
// deno-lint-ignore no-explicit-any -- one table holds handlers of all four kinds of call, as in grpc-js
export type Implementation = Readonly<Record<string, (...args: any[]) => void>>;

/** The options of every transport. */
export interface TransportOptions {
  /**
   * The longest a call may take once its request is complete, in ms, whatever deadline its client has set. After it the
   * call ends with DEADLINE_EXCEEDED.
   */
  readonly callTimeoutMs: number;
  /** A larger request is answered with RESOURCE_EXHAUSTED. */
  readonly maxRequestBytes: number;
  readonly clock: Clock;
  /** Trailers for an error that has none, such as one of the transport's own. */
  readonly describeError?: (code: StatusCode, details: string) => Metadata | undefined;
}

/**
 * The status that ends streaming calls when the server drains: a call such as a health watch has no end of its own, and
 * waiting for it would hold up the drain.
 */
export const SHUTTING_DOWN: StatusObject = {
  code: Status.UNAVAILABLE,
  details: "The server is shutting down",
};

/** A gRPC server. Calls arrive once {@link GrpcServer.listen} has resolved. */
export interface GrpcServer {
  addService(definition: ServiceDefinition, implementation: Implementation): void;
  /** Listens and resolves to the actual address; port 0 takes a free one. Rejects with an error of one line. */
  listen(address: Endpoint): Promise<Endpoint>;
  /**
   * Stops accepting, sends GOAWAY and resolves once the calls in flight have ended. Streaming calls end at once with
   * {@link SHUTTING_DOWN}, after what they have already written. Calls that still run after `timeoutMs` are cancelled.
   */
  drain(timeoutMs: number): Promise<void>;
}
