import { isClientGone, listenError } from "../core/listening.ts";
import { HttpConnection, requireEngine } from "./http_connection.ts";
import { type Clock, pause, type Timer } from "../core/clock.ts";
import { ConnectionLimiter, type ConnectionLimits } from "../core/connection_limiter.ts";
import type { Endpoint } from "../core/endpoint.ts";

/** How often the time-outs of connections are checked. */
const TICK_MS = 1_000;
/** The pause after a failed accept, such as for lack of file descriptors. */
const ACCEPT_PAUSE_MS = 100;

/** The limits of clients; beyond them a connection is closed or not accepted. */
export interface HttpLimits extends ConnectionLimits {
  /** From the connection's start until the first request's headers are complete. */
  readonly headerTimeoutMs: number;
  /** From a request to the headers of the next; covers the rest of the request and the response too. */
  readonly idleTimeoutMs: number;
}

/** What an {@link HttpServer} needs beside its listener. */
export interface HttpServerOptions {
  readonly limits: HttpLimits;
  readonly clock: Clock;
  /** Answers a request synchronously, without reading its body. */
  handle(request: Request): Response;
  /** `handle` threw, or a connection could not be accepted. */
  onError(error: unknown): void;
}

/** Listens; port 0 takes a free one. Throws an error of one line if it cannot. */
export function serveHttp({ hostname, port }: Endpoint, options: HttpServerOptions): HttpServer {
  requireEngine();
  try {
    return new HttpServer(Deno.listen({ hostname, port }), options);
  } catch (error) {
    throw error instanceof Error ? listenError({ hostname, port }, error) : error;
  }
}

interface OpenConnection {
  readonly connection: HttpConnection;
  /** The ticks until it is closed, if no further request comes. */
  ticksLeft: number;
}

/** A running HTTP server. Disposing of it closes its connections at once. */
export class HttpServer implements AsyncDisposable {
  readonly #listener: Deno.TcpListener;
  readonly #options: HttpServerOptions;
  readonly #limiter: ConnectionLimiter;
  readonly #headerTicks: number;
  readonly #idleTicks: number;
  readonly #open = new Set<OpenConnection>();
  #isClosed = false;
  #tickTimer: Timer | undefined;

  constructor(listener: Deno.TcpListener, options: HttpServerOptions) {
    this.#listener = listener;
    this.#options = options;
    this.#limiter = new ConnectionLimiter(options.limits);
    this.#headerTicks = ticks(options.limits.headerTimeoutMs);
    this.#idleTicks = ticks(options.limits.idleTimeoutMs);
    void this.#acceptAll();
  }

  /** The real address, with the port that it has got. */
  get address(): Endpoint {
    const { hostname, port } = this.#listener.addr;
    return { hostname, port };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#listener.close();
    this.#tickTimer?.cancel();
    // Not gracefully: that would wait for a client that never finishes its request, and responses are short.
    for (const { connection } of this.#open) connection.close();
    await Promise.all([...this.#open].map(({ connection }) => connection.finished));
  }

  async #acceptAll(): Promise<void> {
    while (!this.#isClosed) {
      try {
        this.#admit(await this.#listener.accept());
      } catch (error) {
        if (this.#isClosed) return;
        if (isClientGone(error)) continue;
        this.#options.onError(error);
        await pause(ACCEPT_PAUSE_MS, this.#options.clock);
      }
    }
  }

  #admit(stream: Deno.TcpConn): void {
    const { hostname } = stream.remoteAddr;
    if (this.#isClosed || !this.#limiter.acquire(hostname)) return stream.close();
    const connection = new HttpConnection(stream, {
      handle: (request) => {
        open.ticksLeft = this.#idleTicks;
        return this.#options.handle(request);
      },
      onError: (error) => {
        this.#options.onError(error);
        return new Response("internal error\n", { status: 500 });
      },
    });
    const open = { connection, ticksLeft: this.#headerTicks };
    this.#open.add(open);
    void connection.finished.then(() => {
      this.#open.delete(open);
      this.#limiter.release(hostname);
    });
    this.#scheduleTick();
  }

  #scheduleTick(): void {
    this.#tickTimer ??= this.#options.clock.setTimer(() => this.#tick(), TICK_MS, "background");
  }

  #tick(): void {
    this.#tickTimer = undefined;
    for (const open of this.#open) {
      if (--open.ticksLeft <= 0) open.connection.close();
    }
    if (this.#open.size > 0) this.#scheduleTick();
  }
}

/** The ticks that take at least `ms`, wherever between two of them the time begins. */
function ticks(ms: number): number {
  return Math.ceil(ms / TICK_MS) + 1;
}
