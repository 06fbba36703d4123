const DECODER = new TextDecoder();

/** One connection through a {@link SlowLink}. */
class SlowConnection {
  readonly #near: Deno.TcpConn;
  readonly #far: Deno.TcpConn;
  /** Sent by the client and not yet delivered to the server. */
  readonly held: Uint8Array[] = [];
  isHolding = false;

  constructor(near: Deno.TcpConn, far: Deno.TcpConn) {
    this.#near = near;
    this.#far = far;
    this.#forward();
    far.readable.pipeTo(near.writable).catch(() => {});
  }

  async #forward(): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (
        let length = await this.#near.read(buffer);
        length !== null;
        length = await this.#near.read(buffer)
      ) {
        if (this.isHolding) this.held.push(buffer.slice(0, length));
        else await this.#far.write(buffer.slice(0, length));
      }
    } catch {
      // The client's end has been cut.
    }
  }

  cutClient(): void {
    closeQuietly(this.#near);
  }

  /** Delivers what was held, while the server takes it. */
  async deliver(): Promise<void> {
    try {
      for (const piece of this.held.splice(0)) await this.#far.write(piece);
    } catch {
      // The server has closed its end.
    }
  }

  close(): void {
    closeQuietly(this.#near);
    closeQuietly(this.#far);
  }
}

function closeQuietly(end: Deno.TcpConn): void {
  try {
    end.close();
  } catch {
    // Closed before.
  }
}

/**
 * A proxy that delivers late, as a network that loses packets and resends them: it holds what a client sends, and can
 * deliver it long after the client has gone.
 */
export class SlowLink implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #target: Deno.ConnectOptions;
  readonly #connections: SlowConnection[] = [];
  #isClosed = false;

  constructor({ hostname, port }: { readonly hostname: string; readonly port: number }) {
    this.#target = { hostname, port };
    this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** The number of pieces held back on open and closed connections. */
  get held(): number {
    return this.#connections.reduce((sum, { held }) => sum + held.length, 0);
  }

  /** What is held back, as text. */
  get heldText(): string {
    return this.#connections.flatMap(({ held }) => held.map((piece) => DECODER.decode(piece))).join("");
  }

  /** Holds back what is sent from now on over the connections that are open. */
  hold(): void {
    for (const connection of this.#connections) connection.isHolding = true;
  }

  /** Cuts the clients' ends; the server does not notice. */
  cutClients(): void {
    for (const connection of this.#connections) connection.cutClient();
  }

  /** Delivers all that was held. */
  async deliver(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.deliver()));
  }

  /** Cuts the clients' ends, and refuses further ones; what is held can still be delivered. */
  close(): void {
    this.#listener.close();
    this.#isClosed = true;
    this.cutClients();
  }

  [Symbol.dispose](): void {
    if (!this.#isClosed) this.#listener.close();
    for (const connection of this.#connections) connection.close();
  }

  async #accept(): Promise<void> {
    for await (const near of this.#listener) {
      this.#connections.push(new SlowConnection(near, await Deno.connect(this.#target)));
    }
  }
}
