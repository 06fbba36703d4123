import { OpenStreams } from "../../../../src/transport/http2/open_streams.ts";
import {
  encodeFrame,
  encodeWindowUpdate,
  Flag,
  type Frame,
  FrameReader,
  FrameType,
  readSettings,
  readUint32,
  Setting,
} from "./frames.ts";
import { DEFAULT_HEADER_TABLE_BYTES } from "./request_headers.ts";
import { MAX_WINDOW_BYTES, MESSAGE_PREFIX_BYTES, RequestSender } from "./request_sender.ts";
import { StatusReader } from "./status_reader.ts";

/** How a call ended. */
export interface EndedCall {
  readonly beganAtMs: number;
  readonly endedAtMs: number;
  /** The gRPC status; -1 when the call ended without one. */
  readonly status: number;
  /** The size of the response's message. */
  readonly messageBytes: number;
}

/** Supplies a connection with requests and takes the outcomes. */
export interface Workload {
  /** The method's path. */
  readonly path: string;
  /** The message of the next call, or undefined when there are no more. */
  next(): Uint8Array | undefined;
  ended(call: EndedCall): void;
}

/** A call under way. */
interface OpenCall {
  /** Of its stream. */
  readonly id: number;
  readonly beganAtMs: number;
  dataBytes: number;
}

/**
 * A client's HTTP/2 connection that keeps a fixed number of unary calls in flight, one message each way. It shares the
 * machine with the server, so it spends little on each call: it handles everything that one read brings, sends the next
 * requests in one write, and reads only the status of the headers.
 */
export class LoadConnection {
  readonly #socket: Deno.TcpConn;
  readonly #workload: Workload;
  readonly #reader = new FrameReader();
  readonly #statuses = new StatusReader();
  readonly #sender: RequestSender;
  readonly #open = new OpenStreams<OpenCall>();
  /** Received since the last WINDOW_UPDATE. */
  #unacknowledgedBytes = 0;

  private constructor(socket: Deno.TcpConn, authority: string, workload: Workload) {
    this.#socket = socket;
    this.#workload = workload;
    this.#sender = new RequestSender(workload.path, authority);
  }

  /** Connects and makes calls, `streams` at a time, until the workload has no more and all have ended. */
  static async run(
    address: { readonly hostname: string; readonly port: number },
    { streams, workload }: { readonly streams: number; readonly workload: Workload },
  ): Promise<void> {
    using socket = await Deno.connect(address);
    socket.setNoDelay(true);
    await new LoadConnection(socket, `${address.hostname}:${address.port}`, workload).#run(streams);
  }

  async #run(streams: number): Promise<void> {
    await this.#flush();
    // Wait for the server's SETTINGS: they have the size of its table of header fields.
    while (!await this.#receive());
    for (let stream = 0; stream < streams; stream++) this.#begin(performance.now());
    await this.#flush();
    while (this.#open.size > 0) {
      await this.#receive();
      await this.#flush();
    }
  }

  /** Reads once and handles every whole frame; true if the server's settings were among them. */
  async #receive(): Promise<boolean> {
    const length = await this.#socket.read(this.#reader.room());
    if (length === null) {
      throw new Error(`The server has closed a connection with ${this.#open.size} calls open`);
    }
    const nowMs = performance.now();
    let settled = false;
    this.#reader.filled(length);
    for (let frame = this.#reader.next(); frame !== undefined; frame = this.#reader.next()) {
      settled ||= frame.type === FrameType.SETTINGS && (frame.flags & Flag.ACK) === 0;
      this.#handle(frame, nowMs);
    }
    return settled;
  }

  #handle(frame: Frame, nowMs: number): void {
    const { type, flags, streamId, payload } = frame;
    switch (type) {
      case FrameType.HEADERS:
        if ((flags & (Flag.END_HEADERS | Flag.PADDED | Flag.PRIORITY)) !== Flag.END_HEADERS) {
          throw new Error(`Cannot read a HEADERS frame with flags ${flags}`);
        }
        this.#takeHeaders(streamId, payload, { isLast: (flags & Flag.END_STREAM) !== 0, nowMs });
        break;
      case FrameType.DATA:
        this.#takeData(streamId, payload.length);
        if ((flags & Flag.END_STREAM) !== 0) this.#end(streamId, -1, nowMs);
        break;
      case FrameType.RST_STREAM:
        this.#end(streamId, -1, nowMs);
        break;
      case FrameType.SETTINGS:
        if ((flags & Flag.ACK) === 0) this.#settle(payload);
        break;
      case FrameType.PING:
        if ((flags & Flag.ACK) === 0) {
          this.#sender.append(encodeFrame(FrameType.PING, Flag.ACK, 0, payload));
        }
        break;
      case FrameType.WINDOW_UPDATE:
        this.#sender.widenWindow(streamId, readUint32(payload, 0));
        break;
      case FrameType.GOAWAY:
        throw new Error(`The server ends a connection: error code ${readUint32(payload, 4)}`);
    }
  }

  #settle(payload: Uint8Array): void {
    for (const [id, value] of readSettings(payload)) {
      if (id === Setting.HEADER_TABLE_SIZE && value < DEFAULT_HEADER_TABLE_BYTES) {
        throw new Error(`The server keeps a header table of ${value} bytes, expected the usual 4096 or more`);
      }
      if (id === Setting.INITIAL_WINDOW_SIZE) this.#sender.setStreamWindow(value);
    }
    this.#sender.append(encodeFrame(FrameType.SETTINGS, Flag.ACK, 0, new Uint8Array()));
  }

  /** Headers, without a status, or trailers; both may change the table of fields. */
  #takeHeaders(
    streamId: number,
    block: Uint8Array,
    { isLast, nowMs }: { readonly isLast: boolean; readonly nowMs: number },
  ): void {
    const status = this.#statuses.statusOf(block);
    if (isLast) this.#end(streamId, status ?? -1, nowMs);
  }

  #takeData(streamId: number, bytes: number): void {
    const call = this.#open.get(streamId);
    if (call !== undefined) call.dataBytes += bytes;
    this.#unacknowledgedBytes += bytes;
    if (this.#unacknowledgedBytes < MAX_WINDOW_BYTES / 2) return;
    this.#sender.append(encodeWindowUpdate(0, this.#unacknowledgedBytes));
    this.#unacknowledgedBytes = 0;
  }

  #end(streamId: number, status: number, nowMs: number): void {
    const call = this.#open.get(streamId);
    if (call === undefined) return;
    this.#open.delete(streamId);
    this.#sender.end(streamId);
    this.#workload.ended({
      beganAtMs: call.beganAtMs,
      endedAtMs: nowMs,
      status,
      messageBytes: Math.max(0, call.dataBytes - MESSAGE_PREFIX_BYTES),
    });
    this.#begin(nowMs);
  }

  #begin(nowMs: number): void {
    const message = this.#workload.next();
    if (message === undefined) return;
    this.#open.add({ id: this.#sender.begin(message), beganAtMs: nowMs, dataBytes: 0 });
  }

  async #flush(): Promise<void> {
    const bytes = this.#sender.take();
    for (let written = 0; written < bytes.length;) {
      written += await this.#socket.write(bytes.subarray(written));
    }
  }
}
