/** A way to a server that a test may cut: while it is cut, connections are refused and open ones are gone. */
export class ServerLink implements Disposable {
  readonly #target: Deno.ConnectOptions;
  readonly #connections = new Set<Disposable>();
  readonly port: number;
  #listener: Deno.TcpListener | undefined;

  constructor({ hostname, port }: { readonly hostname: string; readonly port: number }) {
    this.#target = { hostname, port };
    this.port = this.#listen(0);
  }

  cut(): void {
    this.#listener?.close();
    this.#listener = undefined;
    for (const connection of this.#connections) connection[Symbol.dispose]();
    this.#connections.clear();
  }

  /** Listens again, on the same port. */
  restore(): void {
    this.#listen(this.port);
  }

  [Symbol.dispose](): void {
    this.cut();
  }

  #listen(port: number): number {
    const listener = Deno.listen({ hostname: "127.0.0.1", port });
    this.#listener = listener;
    this.#accept(listener);
    return listener.addr.port;
  }

  async #accept(listener: Deno.TcpListener): Promise<void> {
    for await (const near of listener) this.#join(near);
  }

  async #join(near: Deno.TcpConn): Promise<void> {
    const far = await Deno.connect(this.#target);
    this.#connections.add(near).add(far);
    // Either side's end, and a cut, ends both.
    const ends = [near.readable.pipeTo(far.writable), far.readable.pipeTo(near.writable)];
    await Promise.allSettled(ends);
    this.#connections.delete(near);
    this.#connections.delete(far);
  }
}
