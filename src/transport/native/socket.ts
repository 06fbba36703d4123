import type { TransportClock, TransportTimer } from "../clock.ts";
import type { ConnectionHost, ServerConnection } from "../http2/connection.ts";
import type { Http2Limits } from "../http2/limits.ts";
import { ReadBuffer } from "./read_buffer.ts";

export interface SocketOptions {
  readonly clock: TransportClock;
  readonly limits: Http2Limits;
  readonly onInternalError: (error: unknown) => void;
  readonly onClientFault: (reason: string) => void;
}

/**
 * Carries one connection over a byte stream of Deno; the only file that reads and writes one. One read and one
 * write are under way at most: what is answered meanwhile goes out with the next write, all of it at once.
 */
export class Socket implements ConnectionHost {
  readonly #stream: Deno.Conn;
  readonly #clock: TransportClock;
  readonly #limits: Http2Limits;
  readonly onInternalError: (error: unknown) => void;
  readonly onClientFault: (reason: string) => void;
  readonly #readBuffer = new ReadBuffer();
  #connection!: ServerConnection;
  #isFlushScheduled = false;
  /** What the write under way has to write. */
  #writing: Uint8Array<ArrayBuffer> | undefined;
  /** The output's buffer that it is a part of. */
  #taken: Uint8Array<ArrayBuffer> | undefined;
  #writtenAtMs = 0;
  #onRoom: (() => void) | undefined;
  #closeTimer: TransportTimer | undefined;
  #isClosed = false;

  constructor(stream: Deno.Conn, options: SocketOptions) {
    this.#stream = stream;
    this.#clock = options.clock;
    this.#limits = options.limits;
    this.onInternalError = options.onInternalError;
    this.onClientFault = options.onClientFault;
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
    } else {
      this.#connection.tick();
    }
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

  get #isWriting(): boolean {
    return this.#writing !== undefined;
  }

  get #isOutputFull(): boolean {
    return this.#isWriting && this.#connection.output.length > this.#limits.maxQueuedOutputBytes;
  }

  #flush(): void {
    if (this.#isWriting || this.#isClosed) return;
    const { output } = this.#connection;
    if (output.length > 0) {
      this.#taken = output.take();
      this.#write(this.#taken);
    } else if (this.#connection.isFinished) {
      this.#closeGently();
    }
  }

  #write(octets: Uint8Array<ArrayBuffer>): void {
    this.#writing = octets;
    this.#writtenAtMs = this.#clock.now();
    this.#stream.write(octets).then(this.#onWritten, this.#onWriteFailed);
  }

  // One function for all writes of the connection: a closure for each would cost as much as the write's promise.
  readonly #onWritten = (length: number): void => {
    const octets = this.#writing!;
    if (length < octets.length) return this.#write(octets.subarray(length));
    this.#connection.output.giveBack(this.#taken!);
    this.#writing = undefined;
    this.#taken = undefined;
    this.#connection.pump();
    this.#flush();
    if (!this.#isOutputFull) this.#signalRoom();
  };

  readonly #onWriteFailed = (): void => this.close();

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
