/**
 * What a gRPC service is to a transport: the shapes of grpc-js, so that services written for it plug in
 * unchanged, without its package. Transports implement {@link GrpcServer}; services see nothing else of them.
 */
import type { Endpoint } from "../core/endpoint.ts";
import type { Metadata } from "./metadata.ts";
import type { StatusCode } from "./status.ts";

/** Writes messages where they are to be, without a buffer of their own in between, which takes a tenth of a call. */
export interface MessageWriter<T> {
  byteLength(message: T): number;
  /** Writes as many bytes as {@link byteLength} says, from `at` on. */
  write(message: T, bytes: Uint8Array, at: number): void;
  /** The same bytes, for a message that has to wait: in pieces that never change, so that none need be copied. */
  pieces(message: T): readonly Uint8Array[];
}

/** One method of a service, as `@grpc/proto-loader` describes it. */
export interface MethodDefinition<Req, Res> {
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  /** The argument is only valid during the call and may be a view into a larger buffer: copy what you keep. */
  requestDeserialize(bytes: Uint8Array): Req;
  responseSerialize(value: Res): Uint8Array;
  /** Writes what `responseSerialize` returns, for a transport that can do without. */
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
  /** The client's metadata. Parsed when first asked for. */
  readonly metadata: Metadata;
  /** Aborts when the client cancels, its deadline passes or the connection is lost. Made when first asked for. */
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
   * nothing, a listener of the signal half a microsecond.
   */
  whenCancelled(listener: () => void): void;
}

/** Ends a unary call: with a response, or with a status. `null` is nothing wherever it may stand, as in grpc-js. */
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

/** A gRPC server. Calls arrive once {@link GrpcServer.listen} has resolved. */
export interface GrpcServer {
  addService(definition: ServiceDefinition, implementation: Implementation): void;
  /** Listens and resolves to the real address: port 0 takes a free one. Rejects in one line that says why it cannot. */
  listen(address: Endpoint): Promise<Endpoint>;
  /**
   * Stops accepting, tells the clients (GOAWAY) and resolves once the calls in flight have ended. Streaming calls
   * end at once, UNAVAILABLE, behind what they have written; what still runs after `timeoutMs` is cancelled.
   */
  drain(timeoutMs: number): Promise<void>;
}
