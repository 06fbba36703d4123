import {
  encodeSettings,
  encodeWindowUpdate,
  Flag,
  FRAME_HEADER_BYTES,
  FrameType,
  Setting,
  writeFrameHeader,
  writeUint32,
} from "./frames.ts";
import { RequestHeaders } from "./request_headers.ts";

/** RFC 9113 section 3.4. */
const PREFACE = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
/** RFC 9113 section 6.9.1. */
export const MAX_WINDOW_BYTES = 2 ** 31 - 1;
/** RFC 9113 section 6.9.2. */
const INITIAL_WINDOW_BYTES = 65_535;
/** The largest frame that every server takes. RFC 9113 section 4.2. */
const MAX_FRAME_BYTES = 16_384;
/** A message's length and whether it is compressed. Source: grpc/doc/PROTOCOL-HTTP2.md, Length-Prefixed-Message. */
export const MESSAGE_PREFIX_BYTES = 5;

/** A request whose end has not been written yet. */
interface UnsentRequest {
  readonly message: Uint8Array;
  sentBytes: number;
  /** The stream's send window. */
  windowBytes: number;
}

/**
 * The client's half of a connection: turns requests of one method into frames, as far as the server's windows allow,
 * in one buffer that is written as a whole. Most requests are small and are laid out in one step.
 */
export class RequestSender {
  readonly #headers: RequestHeaders;
  #bytes = new Uint8Array(64 * 1024);
  #length = 0;
  #nextStreamId = 1;
  /** The connection's send window. */
  #windowBytes = INITIAL_WINDOW_BYTES;
  #streamWindowBytes = INITIAL_WINDOW_BYTES;
  /** By stream, in the order in which they began. */
  readonly #unsent = new Map<number, UnsentRequest>();

  /** Writes the preface and settings of a client: no pushes, the largest windows. */
  constructor(path: string, authority: string) {
    this.#headers = new RequestHeaders(path, authority);
    this.append(PREFACE);
    this.append(encodeSettings([
      [Setting.ENABLE_PUSH, 0],
      [Setting.INITIAL_WINDOW_SIZE, MAX_WINDOW_BYTES],
    ]));
    this.append(encodeWindowUpdate(0, MAX_WINDOW_BYTES - INITIAL_WINDOW_BYTES));
  }

  /** Writes a request, or as much of it as the windows allow, and returns its stream. */
  begin(message: Uint8Array): number {
    const streamId = this.#nextStreamId;
    this.#nextStreamId += 2;
    const headers = this.#headers.next();
    this.#writeHeader({ length: headers.length, type: FrameType.HEADERS, flags: Flag.END_HEADERS, streamId });
    this.append(headers);
    const request = { message, sentBytes: 0, windowBytes: this.#streamWindowBytes };
    if (!this.#send(streamId, request)) this.#unsent.set(streamId, request);
    return streamId;
  }

  /** The server has set the window that each stream begins with. RFC 9113 section 6.9.2. */
  setStreamWindow(bytes: number): void {
    for (const request of this.#unsent.values()) request.windowBytes += bytes - this.#streamWindowBytes;
    this.#streamWindowBytes = bytes;
    this.#sendMore();
  }

  /** The server takes more on a stream, or on the connection, which is stream 0. */
  widenWindow(streamId: number, bytes: number): void {
    if (streamId === 0) this.#windowBytes += bytes;
    else {
      const request = this.#unsent.get(streamId);
      if (request === undefined) return;
      request.windowBytes += bytes;
    }
    this.#sendMore();
  }

  /** The call has ended; the rest of its request is dropped. */
  end(streamId: number): void {
    this.#unsent.delete(streamId);
  }

  /** Writes a whole frame, or what is left of one. */
  append(frame: Uint8Array): void {
    this.#reserve(frame.length);
    this.#bytes.set(frame, this.#length);
    this.#length += frame.length;
  }

  /** The bytes for the socket; valid until the next call of any method. */
  take(): Uint8Array {
    const written = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return written;
  }

  #sendMore(): void {
    for (const [streamId, request] of this.#unsent) {
      if (this.#send(streamId, request)) this.#unsent.delete(streamId);
    }
  }

  /** Writes DATA frames until the request or a window ends; true at the request's end. */
  #send(streamId: number, request: UnsentRequest): boolean {
    const totalBytes = MESSAGE_PREFIX_BYTES + request.message.length;
    while (request.sentBytes < totalBytes) {
      const leftBytes = totalBytes - request.sentBytes;
      const length = Math.min(leftBytes, MAX_FRAME_BYTES, request.windowBytes, this.#windowBytes);
      // The prefix is never split over two frames.
      if (length <= 0 || request.sentBytes === 0 && length < MESSAGE_PREFIX_BYTES) return false;
      const flags = length === leftBytes ? Flag.END_STREAM : 0;
      this.#writeData(streamId, request, length, flags);
      request.sentBytes += length;
      request.windowBytes -= length;
      this.#windowBytes -= length;
    }
    return true;
  }

  #writeData(streamId: number, { message, sentBytes }: UnsentRequest, length: number, flags: number): void {
    this.#writeHeader({ length, type: FrameType.DATA, flags, streamId });
    const bytes = this.#bytes;
    let at = this.#length;
    this.#length += length;
    if (sentBytes === 0) {
      bytes[at] = 0;
      at = writeUint32(bytes, at + 1, message.length);
    }
    const from = Math.max(0, sentBytes - MESSAGE_PREFIX_BYTES);
    const to = sentBytes + length - MESSAGE_PREFIX_BYTES;
    // For few bytes, copying by index costs less than a view and set().
    if (to - from > 256) bytes.set(message.subarray(from, to), at);
    else for (let index = from; index < to; index++) bytes[at++] = message[index]!;
  }

  /** Writes the header of a frame, and makes room for its payload. */
  #writeHeader(header: Parameters<typeof writeFrameHeader>[2]): void {
    this.#reserve(FRAME_HEADER_BYTES + header.length);
    this.#length = writeFrameHeader(this.#bytes, this.#length, header);
  }

  #reserve(byteCount: number): void {
    const needed = this.#length + byteCount;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
