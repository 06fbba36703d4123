import { createServer, type Server, Socket } from "node:net";

/**
 * A proxy to a server that a test can break: cut, silence or slow it. It never stops listening, so that no other program
 * can take its port.
 */
export class TcpProxy implements AsyncDisposable {
  readonly #target: { readonly hostname: string; readonly port: number };
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #state: "open" | "cut" | "held" = "open";
  #delayMs = 0;
  #bytesPerMs = Infinity;
  #receivedBytes = 0;

  private constructor(target: { readonly hostname: string; readonly port: number }) {
    this.#target = target;
    this.#server = createServer({ allowHalfOpen: true }, (near) => this.#join(near));
  }

  /** Listens on this port of 127.0.0.1, or on a free one. */
  static async open(
    target: { readonly hostname: string; readonly port: number },
    port = 0,
  ): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(port, "127.0.0.1", resolve));
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("The proxy has been closed");
    return address.port;
  }

  /** What the server has sent over all connections so far. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Resets every connection, and each new one, until {@link heal}. */
  cut(): void {
    this.#state = "cut";
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Passes nothing on until {@link heal}, which then passes on everything, as TCP does after lost packets. */
  hold(): void {
    this.#state = "held";
    for (const socket of this.#sockets) socket.pause();
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
    this.#state = "open";
    this.#delayMs = 0;
    this.#bytesPerMs = Infinity;
    for (const socket of this.#sockets) socket.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #join(near: Socket): void {
    if (this.#state === "cut") {
      near.resetAndDestroy();
      return;
    }
    const far = new Socket({ allowHalfOpen: true });
    far.connect(this.#target.port, this.#target.hostname);
    far.on("data", (bytes: Uint8Array) => this.#receivedBytes += bytes.length);
    this.#pass(near, far);
    this.#pass(far, near);
  }

  #pass(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    let order = Promise.resolve();
    let freeAtMs = 0;
    const later = (action: () => void, bytes = 0) => {
      freeAtMs = Math.max(performance.now(), freeAtMs) + bytes / this.#bytesPerMs;
      const dueMs = freeAtMs + this.#delayMs;
      order = order.then(() => due(dueMs)).then(() => {
        if (!to.destroyed) action();
      });
    };
    from.on("data", (bytes) => later(() => to.write(bytes), bytes.length));
    from.on("end", () => later(() => to.end()));
    from.on("error", () => to.resetAndDestroy());
    from.on("close", () => {
      this.#sockets.delete(from);
      later(() => to.end());
    });
    if (this.#state === "held") from.pause();
  }
}

/** Resolves at this time of `performance.now()`, at once if it is past. */
function due(ms: number): Promise<void> | undefined {
  const leftMs = ms - performance.now();
  if (leftMs <= 0) return undefined;
  return new Promise((resolve) => setTimeout(resolve, leftMs));
}
