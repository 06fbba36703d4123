import { Buffer } from "node:buffer";
import type { EventEmitter } from "node:events";
import {
  logVerbosity,
  Metadata as GrpcJsMetadata,
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition as GrpcJsServiceDefinition,
  setLogVerbosity,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { type Endpoint, endpointText } from "../../core/endpoint.ts";
import { listenError } from "../../core/listening.ts";
import { Metadata } from "../metadata.ts";
import {
  type GrpcServer,
  type Implementation,
  type ServiceDefinition,
  SHUTTING_DOWN,
  type StatusObject,
  type TransportOptions,
  type UnaryHandler,
} from "../service.ts";
import { Status } from "../status.ts";
import { GrpcJsUnaryCall } from "./call.ts";

/** The reference transport: grpc-js's server over node:http2. */
export class GrpcJsServer implements GrpcServer {
  readonly #options: TransportOptions;
  readonly #server: Server;
  /** The streaming calls in flight. */
  readonly #streams = new Set<EventEmitter>();

  constructor(options: TransportOptions) {
    this.#options = options;
    // grpc-js logs to standard error what it also reports to its caller.
    setLogVerbosity(logVerbosity.NONE);
    this.#server = new Server({
      "grpc.max_receive_message_length": options.maxRequestBytes,
      "grpc.max_send_message_length": -1,
    });
  }

  addService(definition: ServiceDefinition, implementation: Implementation): void {
    const methods = Object.entries(definition);
    const grpcJsDefinition = methods.map(([name, method]) => [name, {
      ...method,
      // grpc-js's type requires the client's functions, which its server never calls.
      requestSerialize: notOnServer,
      responseDeserialize: notOnServer,
      responseSerialize: (value: unknown) => asBuffer(method.responseSerialize(value)),
    }]);
    const handlers = methods.map(([name, method]) => {
      // proto-loader's definitions use the name in the proto; implementations may start in lower case.
      const handler = implementation[name] ?? implementation[name.charAt(0).toLowerCase() + name.slice(1)];
      if (handler === undefined) throw new TypeError(`Cannot add service: method ${name} has no handler`);
      const unary = !method.requestStream && !method.responseStream;
      return [name, unary ? this.#adapted(handler) : this.#tracked(handler)];
    });
    this.#server.addService(
      Object.fromEntries(grpcJsDefinition) as GrpcJsServiceDefinition,
      Object.fromEntries(handlers) as UntypedServiceImplementation,
    );
  }

  listen(address: Endpoint): Promise<Endpoint> {
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(endpointText(address), ServerCredentials.createInsecure(), (error, port) => {
        if (error === null) resolve({ hostname: address.hostname, port });
        else reject(listenError(address, error));
      });
    });
  }

  async drain(timeoutMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#options.clock.setTimer(() => {
      this.#server.forceShutdown();
      resolve();
    }, timeoutMs);
    this.#server.tryShutdown(() => resolve());
    for (const stream of this.#streams) stream.emit("error", SHUTTING_DOWN);
    await promise;
    timer.cancel();
  }

  /** Runs a handler of the port under grpc-js. A handler that does not respond at once is bounded in time. */
  #adapted(handler: UnaryHandler<unknown, unknown>) {
    return (inner: ServerUnaryCall<unknown, unknown>, callback: sendUnaryData<unknown>): void => {
      const call = new GrpcJsUnaryCall(inner, toGrpcJs);
      let ended = false;
      let stopTimer = () => {};
      const end = (error: StatusObject | null, value?: unknown, trailer?: Metadata | null) => {
        if (ended) return;
        ended = true;
        stopTimer();
        if (error !== null) callback(withGrpcJsMetadata(error));
        else callback(null, value, trailer ? toGrpcJs(trailer) : undefined);
      };
      handler(call, end);
      if (ended) return;
      const timer = this.#options.clock.setTimer(() => {
        end(this.#tooLate());
        call.abort();
      }, this.#options.callTimeoutMs);
      stopTimer = () => timer.cancel();
    };
  }

  /** Runs a streaming handler of grpc-js's shape, and keeps its call in {@link #streams} while it lasts. */
  #tracked(handler: Implementation[string]) {
    return (call: EventEmitter, ...rest: unknown[]): void => {
      this.#streams.add(call);
      for (const end of ["cancelled", "close", "finish"]) call.once(end, () => this.#streams.delete(call));
      handler(call, ...rest);
    };
  }

  #tooLate(): StatusObject {
    const code = Status.DEADLINE_EXCEEDED;
    const details = `Cannot answer within ${this.#options.callTimeoutMs} ms, the server's time limit`;
    const metadata = this.#options.describeError?.(code, details);
    return metadata === undefined ? { code, details } : { code, details, metadata };
  }
}

function notOnServer(): never {
  throw new TypeError("Cannot use a client's function of a method on the server");
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Converts the port's metadata; services written for grpc-js already use its own, or none. */
function withGrpcJsMetadata(
  error: StatusObject,
): { code: number; details: string; metadata?: GrpcJsMetadata } {
  const { code, details, metadata } = error;
  return metadata instanceof Metadata ? { code, details, metadata: toGrpcJs(metadata) } : { code, details };
}

function toGrpcJs(metadata: Metadata): GrpcJsMetadata {
  const copy = new GrpcJsMetadata();
  for (const [key, values] of metadata.entries()) {
    for (const value of values) copy.add(key, typeof value === "string" ? value : asBuffer(value));
  }
  return copy;
}
