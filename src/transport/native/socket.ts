import type { Clock, Timer } from "../../core/clock.ts";
import type { ConnectionHost, ServerConnection } from "../http2/connection.ts";
import type { Http2Limits } from "../http2/limits.ts";
import { ReadBuffer } from "./read_buffer.ts";

/**
 * The most that one write holds. Before Deno 2.9.8 nothing ends a write that the client does not let go on, not even
 * closing: the socket and these octets stay until the client reads or goes.
 */
const MAX_WRITE_BYTES = 256 * 1024;
const NOTHING = new Uint8Array(0);

export interface SocketOptions {
  readonly clock: Clock;
  readonly limits: Http2Limits;
  readonly onInternalError: (error: unknown) => void;
  readonly onClientFault: (reason: string) => void;
}

/**
 * Carries one connection over a byte stream of Deno; the only file that reads and writes one. One read and one
 * write are under way at most: what is answered meanwhile goes out with the next write, all of it at once.
 *
 *     serving --close()--> ended --the write under way settles--> released
 */
export class Socket implements ConnectionHost {
  readonly #stream: Deno.Conn;
  readonly #clock: Clock;
  readonly #limits: Http2Limits;
  readonly onInternalError: (error: unknown) => void;
  readonly onClientFault: (reason: string) => void;
  readonly #readBuffer = new ReadBuffer();
  readonly #ended = Promise.withResolvers<void>();
  readonly #released = Promise.withResolvers<void>();
  #connection!: ServerConnection;
  #isFlushScheduled = false;
  /** What the write under way has to write. */
  #writing: Uint8Array<ArrayBuffer> | undefined;
  /** The output's buffer that it is a part of. */
  #taken: Uint8Array<ArrayBuffer> | undefined;
  #writtenAtMs = 0;
  /** Whether the end of our half is on its way, which over TLS is a write too. */
  #isEndingOutput = false;
  #onRoom: (() => void) | undefined;
  #closeTimer: Timer | undefined;
  #isClosed = false;

  constructor(stream: Deno.Conn, options: SocketOptions) {
    this.#stream = stream;
    this.#clock = options.clock;
    this.#limits = options.limits;
    this.onInternalError = options.onInternalError;
    this.onClientFault = options.onClientFault;
  }

  /** Resolves once the connection is closed: nothing more is read or written. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Resolves once the system has the socket's descriptor back, with all that it held: {@link ended} or later. */
  get released(): Promise<void> {
    return this.#released.promise;
  }

  /** Serves the connection until it is closed. */
  async run(connection: ServerConnection): Promise<void> {
    this.#connection = connection;
    try {
      if (await this.#speaksHttp2()) {
        this.#flush();
        await this.#read();
      }
    } catch {
      // The client has broken the connection off, or it was closed here: both end it.
    } finally {
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

  /** Looks at the time; to be called about once a second. Output may be stalled as long as is said. */
  tick(stalledOutputTimeoutMs: number): void {
    if (this.#isClosed) return;
    if (this.#isWriting && this.#clock.now() - this.#writtenAtMs >= stalledOutputTimeoutMs) {
      this.onClientFault("output not read in time");
      this.close();
    } else {
      this.#connection.tick(stalledOutputTimeoutMs);
    }
  }

  /** Closes at once, whatever is under way, and ends all calls. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#closeTimer?.cancel();
    this.#connection.abandon();
    this.#connection.output.clear();
    this.#readBuffer.bytes = NOTHING;
    if (this.#isWriting) this.#writing = this.#taken = NOTHING;
    this.#onRoom?.();
    this.#stream.close();
    this.#ended.resolve();
    this.#releaseIfSettled();
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
    // The write holds the whole buffer: of a large one, only a copy of a part is let out.
    const isLarge = octets.buffer.byteLength > MAX_WRITE_BYTES;
    this.#stream.write(isLarge ? octets.slice(0, MAX_WRITE_BYTES) : octets)
      .then(this.#onWritten, this.#onWriteFailed);
  }

  // One function for all writes of the connection: a closure for each would cost as much as the write's promise.
  readonly #onWritten = (length: number): void => {
    if (this.#isClosed) return this.#onWriteFailed();
    const octets = this.#writing!;
    if (length < octets.length) return this.#write(octets.subarray(length));
    this.#connection.output.giveBack(this.#taken!);
    this.#writing = undefined;
    this.#taken = undefined;
    this.#connection.pump();
    this.#flush();
    if (!this.#isOutputFull) this.#signalRoom();
  };

  readonly #onWriteFailed = (): void => {
    this.#writing = undefined;
    this.#taken = undefined;
    this.close();
    this.#releaseIfSettled();
  };

  #releaseIfSettled(): void {
    if (this.#isClosed && !this.#isWriting && !this.#isEndingOutput) this.#released.resolve();
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
    this.#isEndingOutput = true;
    this.#stream.closeWrite().catch(() => this.close()).finally(() => {
      this.#isEndingOutput = false;
      this.#releaseIfSettled();
    });
  }
}
