import type { Clock, Timer } from "../../core/clock.ts";
import type { ConnectionHost, ServerConnection } from "../http2/connection.ts";
import type { Http2Limits } from "../http2/limits.ts";
import { ReadBuffer } from "./read_buffer.ts";

/**
 * The most that one write holds. Before Deno 2.9.8, a write that the client does not read cannot be ended, not even by
 * closing: the socket and these octets stay until the client reads or disconnects.
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
 * Carries one connection over a byte stream of Deno. No other file reads or writes one. At most one read and one write
 * are in flight; all output produced meanwhile leaves in the next write.
 *
 *     serving --close()--> ended --the write in flight settles--> released
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
  /** The octets of the write in flight. */
  #writing: Uint8Array<ArrayBuffer> | undefined;
  /** The output buffer that they are part of. */
  #taken: Uint8Array<ArrayBuffer> | undefined;
  #writtenAtMs = 0;
  /** Whether the end of our half is in flight; over TLS it is a write too. */
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

  /** Resolves once the socket's descriptor and buffers are freed: with {@link ended} or later. */
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
      // The client has broken the connection, or it was closed here: both end it.
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

  /** Checks the time limits. Call it about once a second. */
  tick(stalledOutputTimeoutMs: number): void {
    if (this.#isClosed) return;
    if (this.#isWriting && this.#clock.now() - this.#writtenAtMs >= stalledOutputTimeoutMs) {
      this.onClientFault("output not read in time");
      this.close();
    } else {
      this.#connection.tick(stalledOutputTimeoutMs);
    }
  }

  /** Closes at once and ends all calls. */
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
    // The write keeps its whole buffer alive, so a part of a large one is copied first.
    const isLarge = octets.buffer.byteLength > MAX_WRITE_BYTES;
    this.#stream.write(isLarge ? octets.slice(0, MAX_WRITE_BYTES) : octets)
      .then(this.#onWritten, this.#onWriteFailed);
  }

  // One function for all writes of the connection: a closure for each costs as much as the promise of the write.
  readonly #onWritten = (length: number): void => {
    if (this.#isClosed) return this.#onWriteFailed();
    const octets = this.#writing!;
    if (length < octets.length) return this.#write(octets.subarray(length));
    this.#connection.output.release(this.#taken!);
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
   * Ends our half and reads on for a moment. Closing with unread octets would make the system send a reset, which can
   * overtake the GOAWAY.
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
