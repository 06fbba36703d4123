import { createServer, type Server, Socket } from "node:net";
import type { Endpoint } from "../../../src/core/endpoint.ts";

const HOSTNAME = "127.0.0.1";
const DECODER = new TextDecoder();

/** Requests travel from clients to the server, responses back. */
type Direction = "requests" | "responses";

/** What a proxy holds back, in memory: it can be delivered after its client has gone. */
class Held {
  readonly pieces: Uint8Array[] = [];
  readonly #released = Promise.withResolvers<void>();

  /** Resolves when the pieces may be delivered. */
  get released(): Promise<void> {
    return this.#released.promise;
  }

  get text(): string {
    return this.pieces.map((piece) => DECODER.decode(piece)).join("");
  }

  /** Delivers the pieces, in order. */
  release(): void {
    this.#released.resolve();
  }
}

/** A proxy to a server that a test can break in the ways of a network: cut, refuse, hold, delay and throttle. */
export class TcpProxy implements AsyncDisposable {
  readonly #target: Endpoint;
  readonly #server: Server;
  readonly #clients = new Set<Socket>();
  readonly #sockets = new Set<Socket>();
  readonly #held: Partial<Record<Direction, Held>> = {};
  #port = 0;
  #isCut = false;
  #delayMs = 0;
  #bytesPerMs = Infinity;
  #receivedBytes = 0;

  private constructor(target: Endpoint) {
    this.#target = target;
    this.#server = createServer({ allowHalfOpen: true }, (near) => this.#join(near));
  }

  /** Listens on this port of 127.0.0.1, or on a free one. */
  static async open(target: Endpoint, port = 0): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(port, HOSTNAME, resolve));
    const address = proxy.#server.address();
    if (address === null || typeof address === "string") throw new Error("The proxy has no port");
    proxy.#port = address.port;
    return proxy;
  }

  get port(): number {
    return this.#port;
  }

  /** What the server has sent over all connections so far. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /**
   * Resets every connection, and each new one, until {@link heal}. The proxy goes on listening, so that no other program
   * can take its port.
   */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /**
   * Closes every connection to a client, and refuses new ones until {@link heal}. The server sees the end of a
   * connection after the requests that are held.
   */
  refuse(): void {
    this.#server.close();
    for (const client of this.#clients) client.destroy();
  }

  /**
   * Holds back what arrives in `direction`, or in both, on old and new connections. {@link heal} delivers it, as TCP does
   * after lost packets; so does the result.
   */
  hold(direction?: Direction): Held {
    const held = new Held();
    if (direction !== "responses") this.#held.requests = held;
    if (direction !== "requests") this.#held.responses = held;
    return held;
  }

  /** Passes on what arrives from now on; what is held waits for {@link Held.release}, and delays its connection. */
  stopHolding(): void {
    delete this.#held.requests;
    delete this.#held.responses;
  }

  /** Passes everything on `ms` later, in each direction, until {@link heal}. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** Passes on as many bytes a second, in each direction of a connection, until {@link heal}. */
  throttle(bytesPerSecond: number): void {
    this.#bytesPerMs = bytesPerSecond / 1000;
  }

  heal(): void {
    this.#isCut = false;
    this.#delayMs = 0;
    this.#bytesPerMs = Infinity;
    for (const held of Object.values(this.#held)) held.release();
    this.stopHolding();
    if (!this.#server.listening) this.#server.listen(this.#port, HOSTNAME);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #join(near: Socket): void {
    if (this.#isCut) {
      near.resetAndDestroy();
      return;
    }
    const far = new Socket({ allowHalfOpen: true });
    far.connect(this.#target.port, this.#target.hostname);
    far.on("data", (bytes: Uint8Array) => this.#receivedBytes += bytes.length);
    this.#clients.add(near);
    near.on("close", () => this.#clients.delete(near));
    this.#pass("requests", near, far);
    this.#pass("responses", far, near);
  }

  #pass(direction: Direction, from: Socket, to: Socket): void {
    this.#sockets.add(from);
    let order = Promise.resolve();
    let freeAtMs = 0;
    const later = (action: () => void, bytes = 0) => {
      const released = this.#held[direction]?.released;
      freeAtMs = Math.max(performance.now(), freeAtMs) + bytes / this.#bytesPerMs;
      const dueMs = freeAtMs + this.#delayMs;
      order = order.then(() => released).then(() => due(dueMs)).then(() => {
        if (!to.destroyed) action();
      });
    };
    from.on("data", (bytes: Uint8Array) => {
      this.#held[direction]?.pieces.push(bytes);
      later(() => to.write(bytes), bytes.length);
    });
    from.on("end", () => later(() => to.end()));
    from.on("error", () => later(() => to.resetAndDestroy()));
    from.on("close", () => {
      this.#sockets.delete(from);
      later(() => to.end());
    });
  }
}

/** Resolves at this time of `performance.now()`, at once if it is past. */
function due(ms: number): Promise<void> | undefined {
  const leftMs = ms - performance.now();
  if (leftMs <= 0) return undefined;
  return new Promise((resolve) => setTimeout(resolve, leftMs));
}
