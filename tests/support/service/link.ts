/**
 * A proxy to a server that a test can cut: then it closes open connections and refuses new ones. It awaits `pause` before
 * it forwards each piece of a response, so that one connection may overtake another.
 */
export class ServerLink implements Disposable {
  readonly #target: Deno.ConnectOptions;
  readonly #pause: () => Promise<void>;
  readonly #connections = new Set<Disposable>();
  readonly port: number;
  #listener: Deno.TcpListener | undefined;

  constructor(
    { hostname, port }: { readonly hostname: string; readonly port: number },
    pause: () => Promise<void> = () => Promise.resolve(),
  ) {
    this.#target = { hostname, port };
    this.#pause = pause;
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
    const answers = new TransformStream<Uint8Array, Uint8Array>({
      transform: async (piece, controller) => {
        await this.#pause();
        controller.enqueue(piece);
      },
    });
    // Either side's end, and a cut, ends both.
    await Promise.allSettled([
      near.readable.pipeTo(far.writable),
      far.readable.pipeThrough(answers).pipeTo(near.writable),
    ]);
    this.#connections.delete(near);
    this.#connections.delete(far);
  }
}
