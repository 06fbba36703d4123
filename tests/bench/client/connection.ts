import {
  concatenated,
  encodeFrame,
  encodeSettings,
  encodeWindowUpdate,
  Flag,
  type Frame,
  FrameReader,
  FrameType,
  readSettings,
  readUint32,
  Setting,
} from "./frames.ts";
import { grpcStatusOf } from "./grpc_status.ts";
import { DEFAULT_HEADER_TABLE_BYTES, firstRequestHeaders, LATER_REQUEST_HEADERS } from "./request_headers.ts";

/** How a call ended. */
export interface EndedCall {
  readonly beganAtMs: number;
  readonly endedAtMs: number;
  /** The gRPC status; -1 when the call ended without one. */
  readonly status: number;
  /** The size of the response's message. */
  readonly messageBytes: number;
}

/** Where a connection's work comes from and goes to. */
export interface Workload {
  /** The method's path. */
  readonly path: string;
  /** The message of the next call, or undefined when there shall be no more. */
  next(): Uint8Array | undefined;
  ended(call: EndedCall): void;
}

/** A call under way. */
interface OpenCall {
  readonly beganAtMs: number;
  dataBytes: number;
}

/** RFC 9113 section 3.4. */
const PREFACE = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
/** RFC 9113 section 6.9.1. */
const MAX_WINDOW_BYTES = 2 ** 31 - 1;
/** RFC 9113 section 6.9.2. */
const INITIAL_WINDOW_BYTES = 65_535;
/** A message's length and whether it is compressed. Source: grpc/doc/PROTOCOL-HTTP2.md, Length-Prefixed-Message. */
const MESSAGE_PREFIX_BYTES = 5;
const READ_BYTES = 64 * 1024;

/**
 * A client's HTTP/2 connection that keeps a fixed number of unary calls in flight, one message each way, and
 * spends little time on each, since it shares the machine with the server: the load stands still on neither side
 * of it, what arrives together is answered together, and of the trailers only the status is read.
 */
export class LoadConnection {
  readonly #socket: Deno.TcpConn;
  readonly #workload: Workload;
  readonly #reader = new FrameReader();
  readonly #open = new Map<number, OpenCall>();
  readonly #firstHeaders: Uint8Array;
  #nextStreamId = 1;
  /** What the server lets us send. */
  #sendWindowBytes = INITIAL_WINDOW_BYTES;
  /** Received since the server was last told that it may send more. */
  #unacknowledgedBytes = 0;
  #output: Uint8Array[] = [];

  private constructor(socket: Deno.TcpConn, authority: string, workload: Workload) {
    this.#socket = socket;
    this.#workload = workload;
    this.#firstHeaders = firstRequestHeaders(workload.path, authority);
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
    this.#output.push(
      PREFACE,
      encodeSettings([
        [Setting.HEADER_TABLE_SIZE, 0],
        [Setting.ENABLE_PUSH, 0],
        [Setting.INITIAL_WINDOW_SIZE, MAX_WINDOW_BYTES],
      ]),
      encodeWindowUpdate(0, MAX_WINDOW_BYTES - INITIAL_WINDOW_BYTES),
    );
    await this.#flush();
    const chunk = new Uint8Array(READ_BYTES);
    // The server's settings come first; only then is it known that it keeps a table of header fields.
    while (!await this.#receive(chunk));
    for (let stream = 0; stream < streams; stream++) this.#begin(performance.now());
    await this.#flush();
    while (this.#open.size > 0) {
      await this.#receive(chunk);
      await this.#flush();
    }
  }

  /** Reads once and handles every whole frame; true if the server's settings were among them. */
  async #receive(chunk: Uint8Array): Promise<boolean> {
    const length = await this.#socket.read(chunk);
    if (length === null) {
      throw new Error(`The server has closed a connection with ${this.#open.size} calls open`);
    }
    const nowMs = performance.now();
    let settled = false;
    this.#reader.push(chunk.subarray(0, length));
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
        if ((flags & Flag.END_STREAM) !== 0) this.#end(streamId, grpcStatusOf(payload) ?? -1, nowMs);
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
          this.#output.push(encodeFrame(FrameType.PING, Flag.ACK, 0, payload));
        }
        break;
      case FrameType.WINDOW_UPDATE:
        if (streamId === 0) this.#sendWindowBytes += readUint32(payload, 0);
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
    }
    this.#output.push(encodeFrame(FrameType.SETTINGS, Flag.ACK, 0, new Uint8Array()));
  }

  #takeData(streamId: number, bytes: number): void {
    const call = this.#open.get(streamId);
    if (call !== undefined) call.dataBytes += bytes;
    this.#unacknowledgedBytes += bytes;
    if (this.#unacknowledgedBytes < MAX_WINDOW_BYTES / 2) return;
    this.#output.push(encodeWindowUpdate(0, this.#unacknowledgedBytes));
    this.#unacknowledgedBytes = 0;
  }

  #end(streamId: number, status: number, nowMs: number): void {
    const call = this.#open.get(streamId);
    if (call === undefined) return;
    this.#open.delete(streamId);
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
    const streamId = this.#nextStreamId;
    this.#nextStreamId += 2;
    const dataBytes = MESSAGE_PREFIX_BYTES + message.length;
    this.#sendWindowBytes -= dataBytes;
    if (this.#sendWindowBytes < 0) {
      throw new Error("The requests in flight are larger than the server's window");
    }
    this.#output.push(
      encodeRequest(streamId, streamId === 1 ? this.#firstHeaders : LATER_REQUEST_HEADERS, message),
    );
    this.#open.set(streamId, { beganAtMs: nowMs, dataBytes: 0 });
  }

  async #flush(): Promise<void> {
    if (this.#output.length === 0) return;
    const bytes = concatenated(this.#output);
    this.#output = [];
    for (let written = 0; written < bytes.length;) {
      written += await this.#socket.write(bytes.subarray(written));
    }
  }
}

/** HEADERS and, with the message behind its prefix, DATA. */
function encodeRequest(streamId: number, headers: Uint8Array, message: Uint8Array): Uint8Array {
  const data = new Uint8Array(MESSAGE_PREFIX_BYTES + message.length);
  new DataView(data.buffer).setUint32(1, message.length);
  data.set(message, MESSAGE_PREFIX_BYTES);
  return concatenated([
    encodeFrame(FrameType.HEADERS, Flag.END_HEADERS, streamId, headers),
    encodeFrame(FrameType.DATA, Flag.END_STREAM, streamId, data),
  ]);
}
