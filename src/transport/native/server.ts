import { pause, type Timer } from "../../core/clock.ts";
import {
  ConnectionLimiter,
  type ConnectionLimits,
  DEFAULT_CONNECTION_LIMITS,
} from "../../core/connection_limiter.ts";
import { DeadlineQueue } from "../../core/deadline_queue.ts";
import { type Endpoint, endpointText } from "../../core/endpoint.ts";
import { isClientGone, listenError } from "../../core/listening.ts";
import { BufferPool } from "../buffer_pool.ts";
import { DEFAULT_MESSAGE_MEMORY, MessageMemory, type MessageMemoryLimits } from "../grpc/message_memory.ts";
import { ServerConnection } from "../http2/connection.ts";
import { ErrorCode } from "../http2/errors.ts";
import { DEFAULT_HTTP2_LIMITS, type Http2Limits } from "../http2/limits.ts";
import { type ConnectionAge, DEFAULT_CONNECTION_AGE, spreadAge } from "../http2/watchdog.ts";
import type {
  GrpcServer,
  Implementation,
  ServiceDefinition,
  StatusObject,
  TransportOptions,
} from "../service.ts";
import { Status } from "../status.ts";
import type { CallEnvironment } from "./call_host.ts";
import { ConnectionCalls } from "./connection_calls.ts";
import { MethodTable } from "./method_table.ts";
import { Socket } from "./socket.ts";
import { UploadLimit } from "./upload_limit.ts";

/** How often connections check their time limits. */
const TICK_MS = 1_000;
/** The pause before accepting again after a failure, such as no free file descriptor. */
const ACCEPT_PAUSE_MS = 100;

/** The options of the native transport. */
export interface NativeServerOptions extends TransportOptions {
  /** Returns numbers in [0, 1), to vary the maximum age of connections. */
  readonly random: () => number;
  readonly limits?: Partial<Http2Limits>;
  readonly age?: Partial<ConnectionAge>;
  readonly admission?: Partial<ConnectionLimits>;
  readonly memory?: Partial<MessageMemoryLimits>;
  /** PEM certificate chain and key. Without them the server speaks HTTP/2 in the clear, by prior knowledge. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Reports errors that are not sent to clients: thrown by the handler of a method (`where` is its path), or our own. */
  readonly onError?: (error: unknown, where: string) => void;
  /** Reports each connection that is ended because of its client: `too many RST_STREAM frames`. */
  readonly onClientFault?: (peer: string, reason: string) => void;
}

/**
 * Time for the last GOAWAY to reach its client when a drain has run out of time. With the rest of the service's stop it
 * is less than a second.
 */
const FAREWELL_MS = 500;

/**
 * The longest that a client may read nothing while message memory is scarce. Clients that do not read are ended first,
 * so that the others need not wait for them.
 */
const SCARCE_STALLED_OUTPUT_MS = 2_000;

/** A connection and its socket. */
interface OpenConnection {
  readonly socket: Socket;
  readonly connection: ServerConnection;
}

/** A gRPC server on Deno's own sockets. */
export class NativeGrpcServer implements GrpcServer {
  readonly #options: NativeServerOptions;
  readonly #limits: Http2Limits;
  readonly #age: ConnectionAge;
  readonly #limiter: ConnectionLimiter;
  readonly #environment: CallEnvironment;
  readonly #methods = new MethodTable();
  readonly #pool = new BufferPool();
  readonly #open = new Set<OpenConnection>();
  #listener: Deno.Listener | undefined;
  #tickTimer: Timer | undefined;

  constructor(options: NativeServerOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_HTTP2_LIMITS, ...options.limits };
    this.#age = { ...DEFAULT_CONNECTION_AGE, ...options.age };
    this.#limiter = new ConnectionLimiter({ ...DEFAULT_CONNECTION_LIMITS, ...options.admission });
    const memory = { ...DEFAULT_MESSAGE_MEMORY, ...options.memory };
    this.#environment = {
      methods: this.#methods,
      clock: options.clock,
      pool: this.#pool,
      maxRequestBytes: options.maxRequestBytes,
      timeLimit: new DeadlineQueue(options.clock, options.callTimeoutMs),
      uploadLimit: new UploadLimit(this.#limits.uploadTimeoutMs, options.clock),
      // The largest request must fit.
      maxBufferedRequestBytes: Math.max(this.#limits.maxBufferedRequestBytes, options.maxRequestBytes),
      memory: new MessageMemory({
        waitAboveBytes: memory.waitAboveBytes,
        maxBytes: Math.max(memory.maxBytes, 4 * options.maxRequestBytes),
      }),
      onError: (error, where) => this.#options.onError?.(error, where),
      withDetails: (status) => this.#withDetails(status),
    };
  }

  /** Connections that have a socket: open ones, and ended ones whose last write has not settled. */
  get connections(): number {
    return this.#open.size;
  }

  addService(definition: ServiceDefinition, implementation: Implementation): void {
    this.#methods.add(definition, implementation);
  }

  // deno-lint-ignore require-await -- async turns a synchronous error into the rejection that the port requires
  async listen(address: Endpoint): Promise<Endpoint> {
    const listener = this.#bind(address);
    this.#listener = listener;
    void this.#acceptAll(listener);
    const { hostname, port } = listener.addr as Deno.NetAddr;
    return { hostname, port };
  }

  async drain(timeoutMs: number): Promise<void> {
    this.#listener?.close();
    this.#listener = undefined;
    for (const { connection } of this.#open) connection.shutDown();
    const { clock } = this.#options;
    const timer = clock.setTimer(() => this.#cancelAll(), timeoutMs);
    const end = clock.setTimer(() => this.#closeAll(), timeoutMs + FAREWELL_MS);
    await Promise.all([...this.#open].map(({ socket }) => socket.ended));
    timer.cancel();
    end.cancel();
    this.#tickTimer?.cancel();
    this.#environment.timeLimit[Symbol.dispose]();
    this.#environment.uploadLimit[Symbol.dispose]();
  }

  #bind({ hostname, port }: Endpoint): Deno.Listener {
    const { tls } = this.#options;
    try {
      return tls === undefined
        ? Deno.listen({ hostname, port })
        : Deno.listenTls({ hostname, port, ...tls, alpnProtocols: ["h2"] });
    } catch (error) {
      throw error instanceof Error ? listenError({ hostname, port }, error) : error;
    }
  }

  #withDetails(status: StatusObject): StatusObject {
    if (status.code === Status.OK || status.metadata !== undefined) return status;
    const metadata = this.#options.describeError?.(status.code, status.details);
    return metadata === undefined ? status : { ...status, metadata };
  }

  #cancelAll(): void {
    for (const { connection } of this.#open) connection.fail(ErrorCode.NO_ERROR, "server is shutting down");
  }

  #closeAll(): void {
    for (const { socket } of this.#open) socket.close();
  }

  async #acceptAll(listener: Deno.Listener): Promise<void> {
    while (this.#listener === listener) {
      try {
        const stream = await listener.accept();
        if (this.#listener !== listener) return stream.close();
        this.#admit(stream);
      } catch (error) {
        if (this.#listener !== listener) return;
        if (isClientGone(error)) continue;
        this.#environment.onError(error, "accept");
        await pause(ACCEPT_PAUSE_MS, this.#options.clock);
      }
    }
  }

  #admit(stream: Deno.Conn): void {
    const { hostname, port } = stream.remoteAddr as Deno.NetAddr;
    if (!this.#limiter.acquire(hostname)) return stream.close();
    if ("setNoDelay" in stream) (stream as Deno.TcpConn).setNoDelay(true);
    const peer = endpointText({ hostname, port });
    const socket = new Socket(stream, {
      clock: this.#options.clock,
      limits: this.#limits,
      onInternalError: (error) => this.#environment.onError(error, "connection"),
      onClientFault: (reason) => this.#options.onClientFault?.(peer, reason),
    });
    const connection = new ServerConnection(
      socket,
      (created) => new ConnectionCalls(this.#environment, created, peer),
      {
        limits: this.#limits,
        age: spreadAge(this.#age, this.#options.random()),
        now: () => this.#options.clock.now(),
        pool: this.#pool,
      },
    );
    const open = { socket, connection };
    this.#open.add(open);
    this.#scheduleTick();
    void socket.run(connection);
    void socket.released.then(() => {
      this.#open.delete(open);
      this.#limiter.release(hostname);
    });
  }

  #scheduleTick(): void {
    this.#tickTimer ??= this.#options.clock.setTimer(() => this.#tick(), TICK_MS, "background");
  }

  #tick(): void {
    this.#tickTimer = undefined;
    const { memory } = this.#environment;
    memory.tick();
    const { stalledOutputTimeoutMs } = this.#limits;
    const stalledMs = memory.isScarce
      ? Math.min(stalledOutputTimeoutMs, SCARCE_STALLED_OUTPUT_MS)
      : stalledOutputTimeoutMs;
    for (const { socket } of this.#open) socket.tick(stalledMs);
    if (this.#open.size > 0) this.#scheduleTick();
  }
}
