import type { BufferPool } from "../buffer_pool.ts";
import { ConnectionError, ErrorCode } from "./errors.ts";
import { FRAME_HEADER_BYTES, MIN_MAX_FRAME_BYTES } from "./protocol.ts";

/** Takes complete frames. The payload is `bytes[start..end)`, valid until the method returns. */
export interface FrameSink {
  onFrame(type: number, flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void;
}

/**
 * Cuts a connection's octets into frames. Source: RFC 9113 section 4.1.
 *
 * Frames that lie whole in a chunk are passed on in place; a frame cut by the end of a chunk is copied.
 */
export class FrameReader {
  readonly #sink: FrameSink;
  readonly #pool: BufferPool;
  /** The octets so far of a cut frame. */
  #partial: Uint8Array<ArrayBuffer> | undefined;
  #partialLength = 0;
  #framesRead = 0;

  constructor(sink: FrameSink, pool: BufferPool) {
    this.#sink = sink;
    this.#pool = pool;
  }

  /** Frames passed on: tells a slow frame from a busy connection. */
  get framesRead(): number {
    return this.#framesRead;
  }

  /** Whether a frame is incomplete. */
  get isInsideFrame(): boolean {
    return this.#partialLength > 0;
  }

  /** @throws {ConnectionError} FRAME_SIZE_ERROR for a frame above the announced SETTINGS_MAX_FRAME_SIZE. */
  push(chunk: Uint8Array, start: number): void {
    let offset = this.#partialLength > 0 ? this.#completePartial(chunk, start) : start;
    while (chunk.length - offset >= FRAME_HEADER_BYTES) {
      const end = offset + FRAME_HEADER_BYTES + payloadLength(chunk, offset);
      if (end > chunk.length) break;
      this.#emit(chunk, offset, end);
      offset = end;
    }
    if (offset < chunk.length) this.#keep(chunk, offset, chunk.length);
  }

  /** Continues the cut frame and passes it on once complete. Returns the offset of the rest of the chunk. */
  #completePartial(chunk: Uint8Array, start: number): number {
    let offset = start;
    if (this.#partialLength < FRAME_HEADER_BYTES) {
      offset = this.#keep(chunk, offset, offset + FRAME_HEADER_BYTES - this.#partialLength);
      if (this.#partialLength < FRAME_HEADER_BYTES) return offset;
    }
    const frameLength = FRAME_HEADER_BYTES + payloadLength(this.#partial!, 0);
    offset = this.#keep(chunk, offset, offset + frameLength - this.#partialLength);
    if (this.#partialLength < frameLength) return offset;
    const frame = this.#partial!;
    this.#partial = undefined;
    this.#partialLength = 0;
    this.#emit(frame, 0, frameLength);
    this.#pool.release(frame);
    return offset;
  }

  /** Appends `chunk[start..end)`, or as much of it as there is, to the cut frame. Returns the offset after it. */
  #keep(chunk: Uint8Array, start: number, end: number): number {
    const part = chunk.subarray(start, Math.min(end, chunk.length));
    const needed = this.#partialLength + part.length;
    if (this.#partial === undefined) this.#partial = this.#pool.acquire(needed);
    else if (this.#partial.length < needed) this.#grow(this.#partial, needed);
    this.#partial.set(part, this.#partialLength);
    this.#partialLength = needed;
    return start + part.length;
  }

  #grow(partial: Uint8Array<ArrayBuffer>, needed: number): void {
    this.#partial = this.#pool.acquire(needed);
    this.#partial.set(partial.subarray(0, this.#partialLength));
    this.#pool.release(partial);
  }

  #emit(bytes: Uint8Array, start: number, end: number): void {
    this.#framesRead++;
    const streamId = ((bytes[start + 5]! & 0x7f) << 24) | (bytes[start + 6]! << 16) |
      (bytes[start + 7]! << 8) |
      bytes[start + 8]!;
    this.#sink.onFrame(
      bytes[start + 3]!,
      bytes[start + 4]!,
      streamId,
      bytes,
      start + FRAME_HEADER_BYTES,
      end,
    );
  }
}

function payloadLength(bytes: Uint8Array, offset: number): number {
  const length = (bytes[offset]! << 16) | (bytes[offset + 1]! << 8) | bytes[offset + 2]!;
  if (length > MIN_MAX_FRAME_BYTES) {
    throw new ConnectionError(
      ErrorCode.FRAME_SIZE_ERROR,
      `frame is ${length} octets, expected at most ${MIN_MAX_FRAME_BYTES}`,
    );
  }
  return length;
}
