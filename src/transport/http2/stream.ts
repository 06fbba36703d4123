import type { HeaderField } from "../hpack/header_field.ts";
import { ReceiveWindow } from "./receive_window.ts";
import type { SendQueue } from "./send_queue.ts";
import { SendWindow } from "./send_window.ts";

/** Receives a request's stream. No method throws; none is called after {@link StreamReceiver.onClosed}. */
export interface StreamReceiver {
  /**
   * Octets `bytes[start..end)` of the body, valid until this returns. The last ones (`isLast`) are valid until
   * {@link onEnd}, which follows at once, returns too. The receiver passes their number to {@link Stream.consume} when
   * it no longer holds them.
   */
  onData(bytes: Uint8Array, start: number, end: number, isLast: boolean): void;
  /** The request is complete. */
  onEnd(): void;
  /** The queue is empty again. */
  onDrain(): void;
  /** The server shuts down. A response without an end of its own ends now. */
  onShutdown(): void;
  /** The stream ended early: reset by the client, reset for an error, or lost with its connection. */
  onClosed(): void;
}

/** Writes bodies into the output, without a buffer in between. */
export interface BodyWriter<T> {
  /** Writes the `length` octets of the body to `bytes` from `at` on. */
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

/** One request and its response. Idle streams have no object. Source: RFC 9113 section 5.1. */
export class Stream {
  readonly id: number;
  /** The request's content-length; -1 when it has none. */
  readonly contentLength: number;
  /** When its HEADERS arrived, in ms since the Unix epoch. */
  readonly openedAtMs: number;
  /** Octets of the body so far. */
  bodyBytes = 0;
  /** The client's END_STREAM has arrived: half-closed (remote). */
  remoteEnded = false;
  /** Our END_STREAM is written: half-closed (local). */
  localEnded = false;
  /** Reset, or both ends ended. */
  isClosed = false;
  readonly sendWindow: SendWindow;
  readonly receiveWindow: ReceiveWindow;
  /** Data that waits for a window or for room in the output; undefined when there is none. */
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
    this.sendWindow = new SendWindow(windows.sendBytes);
    this.receiveWindow = new ReceiveWindow(windows.receiveBytes);
  }

  /** Starts the response. */
  sendHeaders(fields: readonly HeaderField[]): void {
    this.#host.sendHeaders(this, fields);
  }

  /**
   * Sends parts of a body, in this order. Returns false when some wait for the client's window: the parts are kept, and
   * {@link StreamReceiver.onDrain} follows.
   */
  sendData(parts: readonly Uint8Array[]): boolean {
    return this.#host.sendData(this, parts);
  }

  /**
   * Sends a body of `length` octets without a buffer in between, if they can leave at once. Returns false, and does
   * nothing, if they would have to wait. An error of the writer is thrown, and nothing is sent.
   */
  writeData<T>(body: T, length: number, writer: BodyWriter<T>): boolean {
    return this.#host.writeData(this, body, length, writer);
  }

  /**
   * Ends the response after all its data. If no headers were sent, these fields are the only ones. Without any fields,
   * an empty DATA frame ends it.
   */
  sendTrailers(fields: readonly HeaderField[]): void {
    this.#host.sendTrailers(this, fields);
  }

  /** Lets the client send `bytes` more octets. */
  consume(bytes: number): void {
    this.#host.consume(this, bytes);
  }
}
