import type { HeaderList } from "../hpack/decoder.ts";
import type { HeaderField } from "../hpack/header_field.ts";
import type { OutputBuffer } from "../output_buffer.ts";
import type { AbuseGuard } from "./abuse_guard.ts";
import { ConnectionError, ErrorCode, StreamError } from "./errors.ts";
import { paddingLength, readUint32, requireLength, requireStream } from "./frame_rules.ts";
import { writeRstStream } from "./frame_writer.ts";
import { HeaderAssembler } from "./header_assembler.ts";
import type { Http2Limits } from "./limits.ts";
import { DEFAULT_WINDOW_BYTES, Flag } from "./protocol.ts";
import { ReceiveWindow } from "./receive_window.ts";
import { type RequestHead, RequestHeadReader, trailersProblem } from "./request_head.ts";
import { Sender, type SenderEvents } from "./sender.ts";
import { type BodyWriter, Stream, type StreamHost, type StreamReceiver } from "./stream.ts";
import { StreamTable } from "./stream_table.ts";

/** Takes the requests of one connection. */
export interface RequestAcceptor {
  /** Calls whose handler still runs although their stream is gone. */
  readonly orphanedCalls: number;
  /** Takes a new request. Equal header blocks have the same `head` object. May respond at once. */
  accept(stream: Stream, head: RequestHead): StreamReceiver;
  /** All received octets are handled, and queues are sent as far as possible. */
  onTurnEnd(): void;
}

/** What the streams need of their connection. */
export interface StreamsContext {
  readonly limits: Http2Limits;
  readonly guard: AbuseGuard;
  readonly output: OutputBuffer;
  readonly acceptor: RequestAcceptor;
  /** The time, in ms since the Unix epoch. */
  now(): number;
  /** The output is not empty. */
  onOutput(): void;
  onStreamClosed(): void;
}

/**
 * The requests and responses of one connection: handles all frames on streams. Source: RFC 9113 sections 5.1, 6.1, 6.2,
 * 6.4, 6.9, 6.10 and 8.1.
 */
export class RequestStreams implements StreamHost, SenderEvents {
  readonly #context: StreamsContext;
  readonly #headers: HeaderAssembler;
  readonly #heads: RequestHeadReader;
  readonly #sender: Sender;
  readonly #streams = new StreamTable();
  /** The window of all streams together. */
  readonly #window: ReceiveWindow;
  /** The receive window of a new stream: at least the default until the client acknowledges our settings. */
  #initialReceiveWindowBytes: number;
  /** The send window of a new stream. */
  #initialSendWindowBytes = DEFAULT_WINDOW_BYTES;
  #isRefusing = false;
  #isShuttingDown = false;
  #lastList: HeaderList | undefined;
  #lastHead: ReturnType<RequestHeadReader["read"]> = "";

  constructor(context: StreamsContext) {
    this.#context = context;
    this.#headers = new HeaderAssembler(context.limits);
    this.#heads = new RequestHeadReader(context.limits.maxHeaderListBytes);
    this.#sender = new Sender(context.output, this);
    this.#initialReceiveWindowBytes = Math.max(context.limits.streamWindowBytes, DEFAULT_WINDOW_BYTES);
    this.#window = new ReceiveWindow(Math.max(context.limits.connectionWindowBytes, DEFAULT_WINDOW_BYTES));
  }

  /** Streams that are open or half-closed. */
  get size(): number {
    return this.#streams.size;
  }

  /** The highest stream that the client has opened. */
  get lastId(): number {
    return this.#streams.lastId;
  }

  /** The stream whose header block is incomplete; 0 when there is none. */
  get pendingHeadersId(): number {
    return this.#headers.isPending ? this.#headers.streamId : 0;
  }

  get queuedBytes(): number {
    return this.#sender.queuedBytes;
  }

  get dataFramesSent(): number {
    return this.#sender.dataFrames;
  }

  /** Sends queued data while windows and output have room. */
  pump(): void {
    this.#sender.pump();
  }

  /** Refuses new requests from now on. */
  refuseNew(): void {
    this.#isRefusing = true;
  }

  /** Notifies all requests, and those that still arrive, that the server shuts down. */
  shutDown(): void {
    this.#isShuttingDown = true;
    for (const stream of [...this.#streams.values()]) stream.receiver?.onShutdown();
  }

  /** Ends all streams without sending anything. */
  closeAll(): void {
    for (const stream of [...this.#streams.values()]) this.#closeEarly(stream);
  }

  /** The client has applied our settings and keeps to our windows from now on. Source: section 6.9.3. */
  onSettingsAcknowledged(): void {
    const sizeBytes = this.#context.limits.streamWindowBytes;
    if (this.#initialReceiveWindowBytes === sizeBytes) return;
    this.#initialReceiveWindowBytes = sizeBytes;
    for (const stream of this.#streams.values()) stream.receiveWindow.resize(sizeBytes);
  }

  // -- settings of the client

  setPeerTableSize(bytes: number): void {
    this.#sender.setPeerTableSize(bytes);
  }

  /** Changes the send window of every stream, which may become negative. Source: section 6.9.2. */
  setInitialSendWindow(bytes: number): void {
    const difference = bytes - this.#initialSendWindowBytes;
    this.#initialSendWindowBytes = bytes;
    for (const stream of this.#streams.values()) {
      if (!this.#sender.openStreamWindow(stream, difference)) {
        throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, `window of stream ${stream.id} overflows`);
      }
    }
  }

  // -- frames

  onHeaders(flags: number, id: number, bytes: Uint8Array, start: number, end: number): void {
    if (id % 2 === 0) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, `HEADERS on stream ${id}`);
    const list = this.#headers.onHeaders(flags, id, bytes, start, end);
    if (list !== undefined) this.#onHeaderList(id, list);
  }

  onContinuation(flags: number, bytes: Uint8Array, start: number, end: number): void {
    if (!this.#headers.isPending) {
      throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, "CONTINUATION without HEADERS");
    }
    const list = this.#headers.onContinuation(flags, bytes, start, end);
    if (list !== undefined) this.#onHeaderList(this.#headers.streamId, list);
  }

  onData(flags: number, id: number, bytes: Uint8Array, start: number, end: number): void {
    requireStream(id, "DATA");
    // Padding counts, and so does DATA for closed streams: sections 6.9.1 and 5.1.
    if (!this.#window.receive(end - start)) {
      throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, "DATA beyond the connection's window");
    }
    this.#window.consume(end - start, 0, this.#context.output);
    let dataStart = start;
    let dataEnd = end;
    if (flags & Flag.PADDED) {
      dataEnd -= paddingLength(bytes, start, end);
      dataStart++;
    }
    const endsStream = (flags & Flag.END_STREAM) !== 0;
    if (!endsStream) this.#checkDataSize(dataEnd - dataStart);
    const stream = this.#streams.get(id);
    if (stream === undefined) return this.#onFrameOfClosed(id, "DATA");
    if (stream.remoteEnded) throw new StreamError(id, ErrorCode.STREAM_CLOSED, "DATA after END_STREAM");
    if (!stream.receiveWindow.receive(end - start)) {
      throw new StreamError(id, ErrorCode.FLOW_CONTROL_ERROR, "DATA beyond the stream's window");
    }
    this.#onBody(stream, bytes, dataStart, dataEnd, endsStream);
    if (endsStream) this.#onRemoteEnd(stream);
    else this.consume(stream, end - start - (dataEnd - dataStart));
  }

  onWindowUpdate(id: number, bytes: Uint8Array, start: number, end: number): void {
    requireLength(end - start, 4, "WINDOW_UPDATE");
    this.#context.guard.windowUpdate();
    const increment = readUint32(bytes, start) & 0x7fffffff;
    if (id === 0) return this.#openConnectionWindow(increment);
    const stream = this.#streams.get(id);
    if (stream === undefined) return this.#requireKnown(id, "WINDOW_UPDATE");
    if (increment === 0) throw new StreamError(id, ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE of 0 octets");
    if (!this.#sender.openStreamWindow(stream, increment)) {
      throw new StreamError(id, ErrorCode.FLOW_CONTROL_ERROR, "stream's window overflows");
    }
  }

  onRstStream(id: number, length: number): void {
    requireStream(id, "RST_STREAM");
    requireLength(length, 4, "RST_STREAM");
    this.#requireKnown(id, "RST_STREAM");
    const stream = this.#streams.get(id);
    if (stream === undefined || this.#isEarly(stream)) this.#context.guard.controlFrame("RST_STREAM frames");
    if (stream === undefined) return;
    this.#streams.rememberReset(id, "client");
    this.#closeEarly(stream);
  }

  /** Resets a stream after an error of the client, or one that is refused. Only errors count as control frames. */
  onStreamError(error: StreamError): void {
    if (error.code !== ErrorCode.REFUSED_STREAM) this.#context.guard.controlFrame("stream errors");
    // A RST_STREAM may not be the first frame of a stream (section 5.1), so the error ends the connection.
    if (this.#streams.isIdle(error.streamId)) throw new ConnectionError(error.code, error.message);
    const stream = this.#streams.get(error.streamId);
    this.#writeReset(error.streamId, error.code);
    if (stream !== undefined) this.#closeEarly(stream);
  }

  // -- StreamHost

  sendHeaders(stream: Stream, fields: readonly HeaderField[]): void {
    if (stream.isClosed) return;
    this.#sender.headers(stream, fields);
    this.#context.onOutput();
  }

  sendData(stream: Stream, parts: readonly Uint8Array[]): boolean {
    if (stream.isClosed) return true;
    const isSent = this.#sender.data(stream, parts);
    this.#context.onOutput();
    return isSent;
  }

  writeData<T>(stream: Stream, body: T, length: number, writer: BodyWriter<T>): boolean {
    if (stream.isClosed) return true;
    const isSent = this.#sender.write(stream, body, length, writer);
    this.#context.onOutput();
    return isSent;
  }

  sendTrailers(stream: Stream, fields: readonly HeaderField[]): void {
    if (stream.isClosed) return;
    this.#sender.trailers(stream, fields);
    this.#context.onOutput();
  }

  consume(stream: Stream, bytes: number): void {
    if (bytes === 0 || stream.isClosed || stream.remoteEnded || stream.localEnded) return;
    stream.receiveWindow.consume(bytes, stream.id, this.#context.output);
    this.#context.onOutput();
  }

  // -- SenderEvents

  onLocalEnd(stream: Stream): void {
    stream.localEnded = true;
    this.#context.guard.responseEnded();
    if (stream.remoteEnded) this.#close(stream);
  }

  onDataSent(): void {
    this.#context.guard.dataSent();
  }

  // -- inner

  /** Whether a reset of the stream would be early; see {@link Http2Limits.earlyResetMs}. */
  #isEarly(stream: Stream): boolean {
    return this.#context.now() - stream.openedAtMs < this.#context.limits.earlyResetMs;
  }

  #onHeaderList(id: number, list: HeaderList): void {
    const { endsStream } = this.#headers;
    const stream = this.#streams.get(id);
    if (stream !== undefined) return this.#onTrailers(stream, list, endsStream);
    if (!this.#streams.isIdle(id)) return this.#onFrameOfClosed(id, "HEADERS");
    this.#streams.advance(id);
    if (this.#headers.dependsOnItself) {
      throw new StreamError(id, ErrorCode.PROTOCOL_ERROR, "stream depends on itself");
    }
    this.#checkAdmission(id);
    if (list !== this.#lastList) {
      this.#lastList = list;
      this.#lastHead = this.#heads.read(list);
    }
    const head = this.#lastHead;
    if (typeof head === "string") throw new StreamError(id, ErrorCode.PROTOCOL_ERROR, head);
    this.#open(id, head, endsStream);
  }

  #checkAdmission(id: number): void {
    if (this.#isRefusing) throw new StreamError(id, ErrorCode.REFUSED_STREAM, "connection is going away");
    if (
      this.#streams.size + this.#context.acceptor.orphanedCalls >= this.#context.limits.maxConcurrentStreams
    ) {
      throw new StreamError(id, ErrorCode.REFUSED_STREAM, "too many calls at once");
    }
  }

  #open(id: number, head: RequestHead, endsStream: boolean): void {
    this.#context.guard.requestReceived();
    const windows = {
      sendBytes: this.#initialSendWindowBytes,
      receiveBytes: this.#initialReceiveWindowBytes,
    };
    const stream = new Stream(this, id, windows, head.contentLength, this.#context.now());
    this.#streams.add(stream);
    stream.receiver = this.#context.acceptor.accept(stream, head);
    if (this.#isShuttingDown) stream.receiver.onShutdown();
    if (endsStream) this.#onRemoteEnd(stream);
  }

  #onTrailers(stream: Stream, list: HeaderList, endsStream: boolean): void {
    const { id } = stream;
    if (stream.remoteEnded) throw new StreamError(id, ErrorCode.STREAM_CLOSED, "HEADERS after END_STREAM");
    if (!endsStream) throw new StreamError(id, ErrorCode.PROTOCOL_ERROR, "trailers without END_STREAM");
    const problem = trailersProblem(list);
    if (problem !== undefined) throw new StreamError(id, ErrorCode.PROTOCOL_ERROR, problem);
    this.#onRemoteEnd(stream);
  }

  #onBody(stream: Stream, bytes: Uint8Array, start: number, end: number, endsStream: boolean): void {
    const length = end - start;
    stream.bodyBytes += length;
    if (stream.contentLength >= 0 && stream.bodyBytes > stream.contentLength) {
      throw new StreamError(stream.id, ErrorCode.PROTOCOL_ERROR, "body exceeds content-length");
    }
    if (!stream.localEnded) {
      if (length > 0) stream.receiver!.onData(bytes, start, end, endsStream);
    } else if (!endsStream && stream.receiveWindow.isExhausted) {
      // The response is complete and the rest of the request is dropped. A client that fills the window gets a reset
      // without an error: section 8.1.
      this.#writeReset(stream.id, ErrorCode.NO_ERROR);
      this.#close(stream);
    }
  }

  #checkDataSize(length: number): void {
    if (length === 0) this.#context.guard.controlFrame("empty DATA frames");
    else if (length < this.#context.limits.tinyDataBytes) this.#context.guard.tinyData();
  }

  #onRemoteEnd(stream: Stream): void {
    if (stream.isClosed) return;
    if (stream.contentLength >= 0 && stream.bodyBytes !== stream.contentLength) {
      throw new StreamError(stream.id, ErrorCode.PROTOCOL_ERROR, "body does not match content-length");
    }
    stream.remoteEnded = true;
    if (stream.localEnded) this.#close(stream);
    else stream.receiver!.onEnd();
  }

  /** Source: section 5.1, closed. */
  #onFrameOfClosed(id: number, frame: string): void {
    this.#requireKnown(id, frame);
    switch (this.#streams.resetBy(id)) {
      case "server":
        // The client may have sent the frame before the reset arrived.
        return;
      case "client":
        // grpc-java does this with DATA when a call is cancelled while its message waits in the client.
        throw new StreamError(id, ErrorCode.STREAM_CLOSED, `${frame} on stream ${id} after its RST_STREAM`);
      default:
        throw new ConnectionError(ErrorCode.STREAM_CLOSED, `${frame} on closed stream ${id}`);
    }
  }

  /** @throws {ConnectionError} when the client has not opened the stream. */
  #requireKnown(id: number, frame: string): void {
    if (!this.#streams.isIdle(id)) return;
    throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, `${frame} on idle stream ${id}`);
  }

  #openConnectionWindow(increment: number): void {
    if (increment === 0) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE of 0 octets");
    if (!this.#sender.openConnectionWindow(increment)) {
      throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, "connection's window overflows");
    }
  }

  #writeReset(id: number, code: ErrorCode): void {
    writeRstStream(this.#context.output, id, code);
    this.#streams.rememberReset(id, "server");
    this.#context.onOutput();
  }

  #closeEarly(stream: Stream): void {
    this.#close(stream);
    stream.receiver?.onClosed();
  }

  #close(stream: Stream): void {
    stream.isClosed = true;
    this.#sender.discard(stream);
    this.#streams.remove(stream);
    this.#context.onStreamClosed();
  }
}
