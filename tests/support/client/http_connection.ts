/** One TCP connection to an HTTP server: collects what comes back until it ends. */
export class HttpTestConnection implements Disposable {
  readonly #connection: Deno.TcpConn;
  /** Everything received, a character a byte. */
  received = "";
  isClosed = false;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /** Connects and sends `text`; reads the response by default. */
  static async open(
    { hostname, port }: { readonly hostname: string; readonly port: number },
    text = "",
    { isReading = true } = {},
  ): Promise<HttpTestConnection> {
    const connection = new HttpTestConnection(await Deno.connect({ hostname, port }));
    await connection.send(text);
    if (isReading) void connection.read();
    return connection;
  }

  /** Writes a character a byte; false when the server has closed. */
  async send(text: string): Promise<boolean> {
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    try {
      for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
      return true;
    } catch {
      return false;
    }
  }

  /** Reads to the end. */
  async read(): Promise<void> {
    const buffer = new Uint8Array(16 * 1024);
    const decoder = new TextDecoder("latin1");
    try {
      for (let length; (length = await this.#connection.read(buffer)) !== null;) {
        this.received += decoder.decode(buffer.subarray(0, length));
      }
    } catch {
      // A reset ends the connection as well as an end does.
    }
    this.isClosed = true;
  }

  [Symbol.dispose](): void {
    try {
      this.#connection.close();
    } catch {
      // The reader has already seen the end.
    }
  }
}
