import type { HeaderField } from "../hpack/header_field.ts";
import { ReceiveWindow } from "./receive_window.ts";
import type { SendQueue } from "./send_queue.ts";

/** Takes what a request's stream brings. No method throws; none is called after {@link StreamReceiver.onClosed}. */
export interface StreamReceiver {
  /**
   * Octets `bytes[start..end)` of the body. They are valid until this returns, the last ones (`isLast`) until
   * {@link onEnd}, which follows at once, returns too. Whoever takes them gives their number to
   * {@link Stream.consume} when it no longer holds them.
   */
  onData(bytes: Uint8Array, start: number, end: number, isLast: boolean): void;
  /** The request is complete. */
  onEnd(): void;
  /** All that was sent has left the queue. */
  onDrain(): void;
  /** The server shuts down: a response that has no end of its own ends now. */
  onShutdown(): void;
  /** The stream ended early: reset by the client, reset for an error, or lost with its connection. */
  onClosed(): void;
}

/** Writes bodies where they are to be. */
export interface BodyWriter<T> {
  /** Writes the `length` octets of the body from `at` on. */
  write(body: T, bytes: Uint8Array, at: number, length: number): void;
}

/** What a stream needs of its connection. */
export interface StreamHost {
  sendHeaders(stream: Stream, fields: readonly HeaderField[]): void;
  sendData(stream: Stream, parts: readonly Uint8Array[]): boolean;
  writeData<T>(stream: Stream, body: T, length: number, writer: BodyWriter<T>): boolean;
  sendTrailers(stream: Stream, fields: readonly HeaderField[]): void;
  consume(stream: Stream, bytes: number): void;
}

/** One request and its response. Source: RFC 9113 section 5.1; only its non-idle states have an object. */
export class Stream {
  readonly id: number;
  /** The request's content-length; -1 when it has none. */
  readonly contentLength: number;
  /** When its HEADERS came, in ms since the Unix epoch. */
  readonly openedAtMs: number;
  /** Octets of the body so far. */
  bodyBytes = 0;
  /** The client's END_STREAM has come: half-closed (remote). */
  remoteEnded = false;
  /** Our END_STREAM has been written: half-closed (local). */
  localEnded = false;
  /** Reset, or both ends ended. */
  isClosed = false;
  /** What the client lets us send; negative after it has shrunk its windows. */
  sendWindowBytes: number;
  readonly receiveWindow: ReceiveWindow;
  /** What waits for a window or for room in the output; undefined when nothing does. */
  queue: SendQueue | undefined = undefined;
  receiver: StreamReceiver | undefined = undefined;
  readonly #host: StreamHost;

  constructor(
    host: StreamHost,
    id: number,
    windows: { readonly sendBytes: number; readonly receiveBytes: number },
    contentLength: number,
    openedAtMs: number,
  ) {
    this.#host = host;
    this.id = id;
    this.contentLength = contentLength;
    this.openedAtMs = openedAtMs;
    this.sendWindowBytes = windows.sendBytes;
    this.receiveWindow = new ReceiveWindow(windows.receiveBytes);
  }

  /** Starts the response. */
  sendHeaders(fields: readonly HeaderField[]): void {
    this.#host.sendHeaders(this, fields);
  }

  /**
   * Sends parts of a body, one behind the other. They are kept until the client's window takes them. False when they
   * wait: {@link StreamReceiver.onDrain} follows.
   */
  sendData(parts: readonly Uint8Array[]): boolean {
    return this.#host.sendData(this, parts);
  }

  /**
   * Sends a body of `length` octets, if they can leave at once, without a buffer of its own: false, and nothing done,
   * if they would have to wait. What the writer throws is thrown here, and nothing is done either.
   */
  writeData<T>(body: T, length: number, writer: BodyWriter<T>): boolean {
    return this.#host.writeData(this, body, length, writer);
  }

  /**
   * Ends the response behind all data. Without headers before, these are the only ones; without any fields, an
   * empty DATA frame ends it.
   */
  sendTrailers(fields: readonly HeaderField[]): void {
    this.#host.sendTrailers(this, fields);
  }

  /** Lets the client send as many octets more. */
  consume(bytes: number): void {
    this.#host.consume(this, bytes);
  }
}
