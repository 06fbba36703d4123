import { HpackEncoder } from "../hpack/encoder.ts";
import type { HeaderField } from "../hpack/header_field.ts";
import type { OutputBuffer } from "../output_buffer.ts";
import { storeFrameHeader, writeFrameHeader } from "./frame_writer.ts";
import {
  DEFAULT_WINDOW_BYTES,
  Flag,
  FRAME_HEADER_BYTES,
  FrameType,
  MIN_MAX_FRAME_BYTES,
} from "./protocol.ts";
import { SendQueue } from "./send_queue.ts";
import { SendWindow } from "./send_window.ts";
import type { BodyWriter, Stream } from "./stream.ts";

/**
 * Above this, bodies wait in their streams. The output buffer stays small, and streams take turns frame by frame, even
 * while the socket is slow.
 */
const OUTPUT_HIGH_WATER_BYTES = 128 * 1024;

/** The events of a {@link Sender}. */
export interface SenderEvents {
  /** The stream's END_STREAM is written. */
  onLocalEnd(stream: Stream): void;
  onDataSent(): void;
}

/**
 * The sending half of a connection: header blocks in order, bodies as the windows allow, waiting streams in turn.
 * Source: RFC 9113 sections 5.2 and 6.9.
 */
export class Sender {
  readonly #out: OutputBuffer;
  readonly #events: SenderEvents;
  readonly #encoder = new HpackEncoder();
  /** Streams with a body to send, each once, in order. {@link pump} drops those with a closed window. */
  readonly #ready: Stream[] = [];
  readonly #window = new SendWindow(DEFAULT_WINDOW_BYTES);
  #queuedBytes = 0;
  #dataFrames = 0;

  constructor(out: OutputBuffer, events: SenderEvents) {
    this.#out = out;
    this.#events = events;
  }

  /** Octets of bodies that wait for a window or for the socket. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** DATA frames written: tells a slow client from a stalled one. */
  get dataFrames(): number {
    return this.#dataFrames;
  }

  setPeerTableSize(bytes: number): void {
    this.#encoder.setPeerTableSize(bytes);
  }

  headers(stream: Stream, fields: readonly HeaderField[]): void {
    this.#writeBlock(stream.id, fields, 0);
  }

  /** Sends the parts as far as windows allow. Returns false when a rest waits. */
  data(stream: Stream, parts: readonly Uint8Array[]): boolean {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    if (this.#canLeave(stream, length)) {
      const out = this.#startData(stream, length);
      for (const part of parts) out.append(part);
      return true;
    }
    const queue = stream.queue ??= new SendQueue();
    for (const part of parts) queue.add(part);
    this.#queuedBytes += length;
    this.#enqueue(stream, queue);
    this.pump();
    return stream.queue === undefined;
  }

  /** See {@link Stream.writeData}. */
  write<T>(stream: Stream, body: T, length: number, writer: BodyWriter<T>): boolean {
    if (!this.#canLeave(stream, length)) return false;
    const out = this.#out;
    out.reserve(FRAME_HEADER_BYTES + length);
    // Before the frame's header: if the writer throws, the output is unchanged.
    writer.write(body, out.bytes, out.length + FRAME_HEADER_BYTES, length);
    this.#startData(stream, length);
    out.length += length;
    return true;
  }

  trailers(stream: Stream, fields: readonly HeaderField[]): void {
    if (stream.queue !== undefined) stream.queue.trailers = fields;
    else this.#writeTrailers(stream, fields);
  }

  /** Sends queued data while windows and output have room, a frame of each stream in turn. */
  pump(): void {
    while (
      this.#ready.length > 0 && this.#window.leftBytes > 0 && this.#out.length < OUTPUT_HIGH_WATER_BYTES
    ) {
      const stream = this.#ready.shift()!;
      const queue = stream.queue;
      if (queue === undefined) continue;
      queue.isQueued = false;
      if (stream.sendWindow.leftBytes > 0) this.#sendQueued(stream, queue);
    }
  }

  /** Opens the window of the connection. Returns false when it overflows. */
  openConnectionWindow(increment: number): boolean {
    return this.#window.open(increment);
  }

  /** Opens the window of a stream, or closes it by a negative number. Returns false when it overflows. */
  openStreamWindow(stream: Stream, increment: number): boolean {
    if (stream.queue !== undefined) this.#enqueue(stream, stream.queue);
    return stream.sendWindow.open(increment);
  }

  /** Drops the stream's unsent data. */
  discard(stream: Stream): void {
    if (stream.queue === undefined) return;
    this.#queuedBytes -= stream.queue.bytes;
    stream.queue = undefined;
  }

  /** Whether `length` octets can leave now, in one frame. */
  #canLeave(stream: Stream, length: number): boolean {
    return stream.queue === undefined && length <= stream.sendWindow.leftBytes &&
      length <= this.#window.leftBytes && length <= MIN_MAX_FRAME_BYTES &&
      this.#out.length < OUTPUT_HIGH_WATER_BYTES;
  }

  #sendQueued(stream: Stream, queue: SendQueue): void {
    const windowBytes = Math.min(stream.sendWindow.leftBytes, this.#window.leftBytes);
    const length = Math.min(queue.bytes, windowBytes, MIN_MAX_FRAME_BYTES);
    const out = this.#startData(stream, length);
    queue.moveTo(out.bytes, out.length, length);
    out.length += length;
    this.#queuedBytes -= length;
    if (queue.bytes > 0) return this.#enqueue(stream, queue);
    stream.queue = undefined;
    if (queue.trailers !== undefined) this.#writeTrailers(stream, queue.trailers);
    else stream.receiver?.onDrain();
  }

  #enqueue(stream: Stream, queue: SendQueue): void {
    if (queue.isQueued) return;
    queue.isQueued = true;
    this.#ready.push(stream);
  }

  #startData(stream: Stream, length: number): OutputBuffer {
    stream.sendWindow.spend(length);
    this.#window.spend(length);
    this.#dataFrames++;
    this.#events.onDataSent();
    writeFrameHeader(this.#out, length, FrameType.DATA, 0, stream.id);
    return this.#out;
  }

  #writeTrailers(stream: Stream, fields: readonly HeaderField[]): void {
    if (fields.length > 0) this.#writeBlock(stream.id, fields, Flag.END_STREAM);
    else writeFrameHeader(this.#out, 0, FrameType.DATA, Flag.END_STREAM, stream.id);
    this.#events.onLocalEnd(stream);
  }

  /** Writes a header block. Its length is known, and filled in, after encoding. */
  #writeBlock(streamId: number, fields: readonly HeaderField[], flags: number): void {
    const out = this.#out;
    const start = out.length;
    out.reserve(FRAME_HEADER_BYTES);
    out.length += FRAME_HEADER_BYTES;
    this.#encoder.encode(fields, out);
    const length = out.length - start - FRAME_HEADER_BYTES;
    if (length <= MIN_MAX_FRAME_BYTES) {
      storeFrameHeader(out.bytes, start, length, FrameType.HEADERS, flags | Flag.END_HEADERS, streamId);
    } else {
      this.#splitBlock(streamId, start, flags);
    }
  }

  /** Cuts the block at the end of the output into HEADERS and CONTINUATION frames. */
  #splitBlock(streamId: number, start: number, flags: number): void {
    const out = this.#out;
    const block = out.bytes.slice(start + FRAME_HEADER_BYTES, out.length);
    out.length = start;
    for (let offset = 0; offset < block.length; offset += MIN_MAX_FRAME_BYTES) {
      const fragment = block.subarray(offset, offset + MIN_MAX_FRAME_BYTES);
      const isLast = offset + fragment.length === block.length;
      const type = offset === 0 ? FrameType.HEADERS : FrameType.CONTINUATION;
      const fragmentFlags = (offset === 0 ? flags : 0) | (isLast ? Flag.END_HEADERS : 0);
      writeFrameHeader(out, fragment.length, type, fragmentFlags, streamId);
      out.append(fragment);
    }
  }
}
