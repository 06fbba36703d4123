import type { TransportClock, TransportTimer } from "../clock.ts";
import type { ConnectionHost, ServerConnection } from "../http2/connection.ts";
import type { Http2Limits } from "../http2/limits.ts";
import { ReadBuffer } from "./read_buffer.ts";

/**
 * Carries one connection over a byte stream of Deno; the only file that reads and writes one. One read and one
 * write are under way at most: what is answered meanwhile goes out with the next write, all of it at once.
 */
export class Socket implements ConnectionHost {
  readonly #stream: Deno.Conn;
  readonly #clock: TransportClock;
  readonly #limits: Http2Limits;
  readonly #readBuffer = new ReadBuffer();
  #connection!: ServerConnection;
  #isFlushScheduled = false;
  #isWriting = false;
  #writtenAtMs = 0;
  #onRoom: (() => void) | undefined;
  #closeTimer: TransportTimer | undefined;
  #isClosed = false;

  constructor(stream: Deno.Conn, clock: TransportClock, limits: Http2Limits) {
    this.#stream = stream;
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Serves the connection; resolves once it is closed. */
  async run(connection: ServerConnection): Promise<void> {
    this.#connection = connection;
    try {
      if (await this.#speaksHttp2()) {
        this.#flush();
        await this.#read();
      }
    } catch {
      // The client has broken the connection off, or the close timer has: both end it.
    } finally {
      connection.abandon();
      this.close();
    }
  }

  wake(): void {
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    queueMicrotask(() => {
      this.#isFlushScheduled = false;
      this.#flush();
    });
  }

  /** Looks at the time; to be called about once a second. */
  tick(): void {
    if (this.#isWriting && this.#clock.now() - this.#writtenAtMs >= this.#limits.stalledOutputTimeoutMs) {
      this.close();
    } else this.#connection.tick();
  }

  /** Closes at once, whatever is under way. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#closeTimer?.cancel();
    this.#onRoom?.();
    this.#stream.close();
  }

  /** Over TLS, both sides must have agreed on HTTP/2. Source: RFC 9113 section 3.2. */
  async #speaksHttp2(): Promise<boolean> {
    if (!("handshake" in this.#stream)) return true;
    const { alpnProtocol } = await (this.#stream as Deno.TlsConn).handshake();
    return alpnProtocol === "h2";
  }

  async #read(): Promise<void> {
    while (!this.#isClosed) {
      if (this.#isOutputFull) await new Promise<void>((resolve) => this.#onRoom = resolve);
      const length = await this.#stream.read(this.#readBuffer.bytes);
      if (length === null) return;
      this.#connection.receive(this.#readBuffer.bytes.subarray(0, length));
      this.#readBuffer.adapt(length);
      this.#flush();
    }
  }

  get #isOutputFull(): boolean {
    return this.#isWriting && this.#connection.output.length > this.#limits.maxQueuedOutputBytes;
  }

  #flush(): void {
    if (this.#isWriting || this.#isClosed) return;
    const { output } = this.#connection;
    if (output.length > 0) {
      this.#isWriting = true;
      void this.#write(output.take());
    } else if (this.#connection.isFinished) {
      this.#closeGently();
    }
  }

  async #write(chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    try {
      for (let offset = 0; offset < chunk.length;) {
        this.#writtenAtMs = this.#clock.now();
        offset += await this.#stream.write(offset === 0 ? chunk : chunk.subarray(offset));
      }
    } catch {
      return this.close();
    }
    this.#isWriting = false;
    this.#connection.output.giveBack(chunk);
    this.#connection.pump();
    this.#flush();
    if (!this.#isOutputFull) this.#signalRoom();
  }

  #signalRoom(): void {
    const onRoom = this.#onRoom;
    this.#onRoom = undefined;
    onRoom?.();
  }

  /**
   * Ends our half and reads on for a moment: closing with unread octets would make the system send a reset,
   * which can reach the client before the GOAWAY does.
   */
  #closeGently(): void {
    if (this.#closeTimer !== undefined) return;
    this.#closeTimer = this.#clock.setTimer(() => this.close(), this.#limits.closeTimeoutMs, "background");
    void this.#stream.closeWrite().catch(() => this.close());
  }
}
