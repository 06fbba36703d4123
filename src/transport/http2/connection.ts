import type { HeaderField } from "../hpack/header_field.ts";
import type { HeaderList } from "../hpack/decoder.ts";
import type { OutputBuffer } from "../output_buffer.ts";
import { AbuseGuard } from "./abuse_guard.ts";
import { ConnectionError, ErrorCode, StreamError } from "./errors.ts";
import { FrameReader, type FrameSink } from "./frame_reader.ts";
import {
  checkPriority,
  paddingLength,
  PRIORITY_BYTES,
  readUint32,
  requireLength,
  requireNoStream,
  requireStream,
} from "./frame_rules.ts";
import {
  writeGoaway,
  writePing,
  writeRstStream,
  writeSettings,
  writeSettingsAck,
  writeWindowUpdate,
} from "./frame_writer.ts";
import { HeaderAssembler } from "./header_assembler.ts";
import type { Http2Limits } from "./limits.ts";
import { PeerSettings, type SettingsEffects } from "./peer_settings.ts";
import { PrefaceReader } from "./preface_reader.ts";
import {
  DEFAULT_WINDOW_BYTES,
  Flag,
  FrameType,
  MAX_STREAM_ID,
  SETTING_BYTES,
  SettingId,
} from "./protocol.ts";
import { ReceiveWindow } from "./receive_window.ts";
import { readRequestHead, type RequestHead, trailersProblem } from "./request_head.ts";
import { Sender, type SenderEvents } from "./sender.ts";
import { Stream, type StreamHost, type StreamReceiver } from "./stream.ts";
import { StreamTable } from "./stream_table.ts";
import { type ConnectionAge, Watchdog } from "./watchdog.ts";

/** Takes the requests of one connection. */
export interface RequestAcceptor {
  /** Calls that still run although their stream is gone. */
  readonly orphanedCalls: number;
  /** Takes a new request; equal header blocks come with the same `head`. May respond at once. */
  accept(stream: Stream, head: RequestHead): StreamReceiver;
  /** All that has arrived is handled, and queues have moved as far as they can. */
  onTurnEnd(): void;
}

/** What a connection asks of the socket that carries it. */
export interface ConnectionHost {
  /** There is output, or the end, outside of {@link ServerConnection.receive}. */
  wake(): void;
}

export interface ConnectionOptions {
  readonly limits: Http2Limits;
  readonly age: ConnectionAge;
  readonly now: () => number;
  readonly output: OutputBuffer;
}

/** The opaque octets of our PINGs: which of them an ACK answers. */
const KEEPALIVE_PING = new Uint8Array([0, 0, 0, 0, 0, 0, 0, 1]);
const DRAIN_PING = new Uint8Array([0, 0, 0, 0, 0, 0, 0, 2]);

/**
 * The server's end of one HTTP/2 connection: octets in by {@link receive}, octets out by {@link output}, requests
 * to the acceptor. Does no I/O and sets no timer. Source: RFC 9113.
 */
export class ServerConnection implements FrameSink, SettingsEffects, StreamHost, SenderEvents {
  /** What is to be written to the client. */
  readonly output: OutputBuffer;
  readonly #limits: Http2Limits;
  readonly #now: () => number;
  readonly #host: ConnectionHost;
  readonly #acceptor: RequestAcceptor;
  readonly #preface = new PrefaceReader();
  readonly #reader = new FrameReader(this);
  readonly #headers: HeaderAssembler;
  readonly #peerSettings = new PeerSettings();
  readonly #guard: AbuseGuard;
  readonly #sender: Sender;
  readonly #streams = new StreamTable();
  readonly #window: ReceiveWindow;
  readonly #watchdog: Watchdog;
  #hasSettings = false;
  #isInTurn = false;
  #drain: "no" | "announced" | "final" = "no";
  #isFinished = false;
  #lastHeaders: HeaderList | undefined;
  #lastHead: ReturnType<typeof readRequestHead> = "";

  constructor(
    host: ConnectionHost,
    acceptor: (connection: ServerConnection) => RequestAcceptor,
    options: ConnectionOptions,
  ) {
    this.#host = host;
    this.#limits = options.limits;
    this.#now = options.now;
    this.output = options.output;
    this.#headers = new HeaderAssembler(options.limits);
    this.#guard = new AbuseGuard(options.limits, options.now);
    this.#sender = new Sender(options.output, this);
    this.#window = new ReceiveWindow(options.limits.connectionWindowBytes);
    this.#watchdog = new Watchdog(options.limits, options.age, options.now());
    this.#acceptor = acceptor(this);
    this.#announce();
  }

  /** Whether nothing more will be read or sent but what is in {@link output}. */
  get isFinished(): boolean {
    return this.#isFinished;
  }

  /** Whether so much waits for the client to read that no further call should start. */
  get isCongested(): boolean {
    return this.#sender.queuedBytes + this.output.length > this.#limits.maxQueuedOutputBytes;
  }

  get openStreams(): number {
    return this.#streams.size;
  }

  /** Takes what the client has sent; `chunk` is not kept. */
  receive(chunk: Uint8Array): void {
    if (this.#isFinished) return;
    this.#isInTurn = true;
    try {
      const start = this.#preface.isComplete ? 0 : this.#preface.push(chunk);
      if (this.#preface.isComplete) this.#reader.push(chunk, start);
    } catch (error) {
      if (error instanceof ConnectionError) this.fail(error.code, error.message);
      else {
        this.fail(ErrorCode.INTERNAL_ERROR, "internal error");
        throw error;
      }
    } finally {
      this.#isInTurn = false;
    }
    this.pump();
  }

  /** Moves queued bodies to {@link output}; to be called when the output has been written. */
  pump(): void {
    this.#isInTurn = true;
    this.#sender.pump();
    this.#acceptor.onTurnEnd();
    this.#isInTurn = false;
  }

  /** Looks at the time; to be called about once a second. */
  tick(): void {
    if (this.#isFinished) return;
    const verdict = this.#watchdog.check(this.#now(), {
      isReady: this.#hasSettings,
      framesRead: this.#reader.framesRead,
      isInsideFrame: this.#reader.isInsideFrame || this.#headers.pendingStreamId !== 0,
      openStreams: this.#streams.size,
      lastStreamId: this.#streams.lastId,
      dataFramesSent: this.#sender.dataFrames,
      queuedBytes: this.#sender.queuedBytes,
      isDraining: this.#drain !== "no",
    });
    if (verdict.action === "fail") this.fail(verdict.code, verdict.reason);
    else if (verdict.action === "drain") this.drain();
    else if (verdict.action === "announce") this.#finalGoaway();
    else if (verdict.action === "ping") {
      writePing(this.output, KEEPALIVE_PING, 0);
      this.#host.wake();
    }
  }

  /**
   * Lets the calls in flight end and takes no new ones. The first GOAWAY allows for requests under way; the PING
   * behind it comes back when they have arrived, and the second names the last. Source: RFC 9113 section 6.8.
   */
  drain(): void {
    if (this.#drain !== "no" || this.#isFinished) return;
    this.#drain = "announced";
    writeGoaway(this.output, MAX_STREAM_ID, ErrorCode.NO_ERROR, "");
    writePing(this.output, DRAIN_PING, 0);
    this.#host.wake();
  }

  /** Ends the connection with a GOAWAY, and every stream with it. */
  fail(code: ErrorCode, reason: string): void {
    if (this.#isFinished) return;
    writeGoaway(this.output, this.#streams.lastId, code, reason);
    this.abandon();
    this.#host.wake();
  }

  /** The connection is lost: ends every stream without a word. */
  abandon(): void {
    this.#isFinished = true;
    for (const stream of [...this.#streams.values()]) this.#closeEarly(stream);
  }

  /** A message of a request is whole; see {@link AbuseGuard}. */
  messageReceived(): void {
    this.#guard.messageReceived();
  }

  // -- FrameSink

  onFrame(type: number, flags: number, id: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.#isFinished) return;
    const pendingId = this.#headers.pendingStreamId;
    if (pendingId !== 0 && (type !== FrameType.CONTINUATION || id !== pendingId)) {
      throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, "header block is interrupted");
    }
    if (!this.#hasSettings && (type !== FrameType.SETTINGS || (flags & Flag.ACK) !== 0)) {
      throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, "first frame is not SETTINGS");
    }
    try {
      this.#dispatch(type, flags, id, bytes, start, end);
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      this.#guard.oddFrame("stream errors");
      this.#resetById(error.streamId, error.code);
    }
  }

  #dispatch(type: number, flags: number, id: number, bytes: Uint8Array, start: number, end: number): void {
    switch (type) {
      case FrameType.DATA:
        return this.#onData(flags, id, bytes, start, end);
      case FrameType.HEADERS:
        return this.#onHeaders(flags, id, bytes, start, end);
      case FrameType.CONTINUATION:
        return this.#onContinuation(flags, bytes, start, end);
      case FrameType.WINDOW_UPDATE:
        return this.#onWindowUpdate(id, bytes, start, end);
      case FrameType.RST_STREAM:
        return this.#onRstStream(id, end - start);
      case FrameType.SETTINGS:
        return this.#onSettings(flags, id, bytes, start, end);
      case FrameType.PING:
        return this.#onPing(flags, id, bytes.subarray(start, end));
      case FrameType.PRIORITY:
        return this.#onPriority(id, bytes, start, end);
      case FrameType.GOAWAY:
        return this.#onGoaway(id, end - start);
      case FrameType.PUSH_PROMISE:
        throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, "PUSH_PROMISE from a client");
      default:
        // Source: RFC 9113 section 4.1: unknown types are ignored.
        this.#guard.oddFrame("frames of unknown type");
    }
  }

  #onHeaders(flags: number, id: number, bytes: Uint8Array, start: number, end: number): void {
    if (id % 2 === 0) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, `HEADERS on stream ${id}`);
    let blockStart = start;
    let blockEnd = end;
    if (flags & Flag.PADDED) {
      blockEnd -= paddingLength(bytes, start, end);
      blockStart++;
    }
    let selfDependency: StreamError | undefined;
    if (flags & Flag.PRIORITY) {
      if (blockEnd - blockStart < PRIORITY_BYTES) {
        throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, "HEADERS is too short for its priority");
      }
      selfDependency = prioritySelfDependency(id, bytes, blockStart);
      blockStart += PRIORITY_BYTES;
    }
    const endsStream = (flags & Flag.END_STREAM) !== 0;
    if ((flags & Flag.END_HEADERS) === 0) {
      this.#headers.begin(id, endsStream, bytes, blockStart, blockEnd);
    } else {
      this.#onHeaderList(id, this.#headers.decode(bytes, blockStart, blockEnd), endsStream);
    }
    if (selfDependency !== undefined) throw selfDependency;
  }

  #onContinuation(flags: number, bytes: Uint8Array, start: number, end: number): void {
    const id = this.#headers.pendingStreamId;
    if (id === 0) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, "CONTINUATION without HEADERS");
    const endsStream = this.#headers.endsStream;
    this.#headers.continue(bytes, start, end);
    if (flags & Flag.END_HEADERS) this.#onHeaderList(id, this.#headers.finish(), endsStream);
  }

  #onHeaderList(id: number, list: HeaderList, endsStream: boolean): void {
    const stream = this.#streams.get(id);
    if (stream !== undefined) return this.#onTrailers(stream, list, endsStream);
    if (!this.#streams.isIdle(id)) {
      if (this.#streams.wasResetByUs(id)) return;
      throw new ConnectionError(ErrorCode.STREAM_CLOSED, `HEADERS on closed stream ${id}`);
    }
    this.#streams.advance(id);
    if (this.#drain === "final") {
      throw new StreamError(id, ErrorCode.REFUSED_STREAM, "connection is going away");
    }
    if (this.#streams.size + this.#acceptor.orphanedCalls >= this.#limits.maxConcurrentStreams) {
      throw new StreamError(id, ErrorCode.REFUSED_STREAM, "too many calls at once");
    }
    if (list !== this.#lastHeaders) {
      this.#lastHeaders = list;
      this.#lastHead = readRequestHead(list, this.#limits.maxHeaderListBytes);
    }
    const head = this.#lastHead;
    if (typeof head === "string") throw new StreamError(id, ErrorCode.PROTOCOL_ERROR, head);
    this.#open(id, head, endsStream);
  }

  #open(id: number, head: RequestHead, endsStream: boolean): void {
    this.#guard.requestReceived();
    const windows = {
      sendBytes: this.#peerSettings.initialWindowBytes,
      receiveBytes: this.#limits.streamWindowBytes,
    };
    const stream = new Stream(this, id, windows, head.contentLength);
    this.#streams.add(stream);
    stream.receiver = this.#acceptor.accept(stream, head);
    if (endsStream) this.#onRemoteEnd(stream);
  }

  #onTrailers(stream: Stream, list: HeaderList, endsStream: boolean): void {
    if (stream.remoteEnded) {
      throw new StreamError(stream.id, ErrorCode.STREAM_CLOSED, "HEADERS behind END_STREAM");
    }
    if (!endsStream) {
      throw new StreamError(stream.id, ErrorCode.PROTOCOL_ERROR, "trailers without END_STREAM");
    }
    const problem = trailersProblem(list);
    if (problem !== undefined) throw new StreamError(stream.id, ErrorCode.PROTOCOL_ERROR, problem);
    this.#onRemoteEnd(stream);
  }

  #onData(flags: number, id: number, bytes: Uint8Array, start: number, end: number): void {
    requireStream(id, "DATA");
    // Padding counts, and so do octets for streams that are gone: section 6.9.1 and 5.1.
    if (!this.#window.receive(end - start)) {
      throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, "DATA beyond the connection's window");
    }
    this.#window.consume(end - start, 0, this.output);
    const stream = this.#streams.get(id);
    if (stream === undefined) return this.#onDataForNoStream(id);
    let dataStart = start;
    let dataEnd = end;
    if (flags & Flag.PADDED) {
      dataEnd -= paddingLength(bytes, start, end);
      dataStart++;
    }
    const endsStream = (flags & Flag.END_STREAM) !== 0;
    if (stream.remoteEnded) throw new StreamError(id, ErrorCode.STREAM_CLOSED, "DATA behind END_STREAM");
    if (!stream.receiveWindow.receive(end - start)) {
      throw new StreamError(id, ErrorCode.FLOW_CONTROL_ERROR, "DATA beyond the stream's window");
    }
    const length = dataEnd - dataStart;
    if (!endsStream) this.#checkDataSize(length);
    stream.bodyBytes += length;
    if (stream.contentLength >= 0 && stream.bodyBytes > stream.contentLength) {
      throw new StreamError(id, ErrorCode.PROTOCOL_ERROR, "body exceeds content-length");
    }
    if (stream.localEnded) this.#discardData(stream, endsStream);
    else if (length > 0) stream.receiver!.onData(bytes, dataStart, dataEnd);
    if (endsStream && !stream.isClosed) this.#onRemoteEnd(stream);
    else if (end - start > length) this.consume(stream, end - start - length);
  }

  #checkDataSize(length: number): void {
    if (length === 0) this.#guard.oddFrame("empty DATA frames");
    else if (length < this.#limits.tinyDataBytes) this.#guard.tinyData();
  }

  #onDataForNoStream(id: number): void {
    if (this.#streams.isIdle(id)) {
      throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, `DATA on idle stream ${id}`);
    }
    if (this.#streams.wasResetByUs(id)) return;
    throw new ConnectionError(ErrorCode.STREAM_CLOSED, `DATA on closed stream ${id}`);
  }

  /**
   * The response is complete before the request: what still comes is dropped. A client that goes on beyond its
   * window is told to stop, without an error (section 8.1).
   */
  #discardData(stream: Stream, endsStream: boolean): void {
    if (!endsStream && stream.receiveWindow.isExhausted) this.resetStream(stream, ErrorCode.NO_ERROR);
  }

  #onRemoteEnd(stream: Stream): void {
    if (stream.contentLength >= 0 && stream.bodyBytes !== stream.contentLength) {
      throw new StreamError(stream.id, ErrorCode.PROTOCOL_ERROR, "body does not match content-length");
    }
    stream.remoteEnded = true;
    if (stream.localEnded) this.#close(stream);
    else stream.receiver!.onEnd();
  }

  #onWindowUpdate(id: number, bytes: Uint8Array, start: number, end: number): void {
    requireLength(end - start, 4, "WINDOW_UPDATE");
    this.#guard.windowUpdate();
    const increment = readUint32(bytes, start) & 0x7fffffff;
    if (id === 0) {
      if (increment === 0) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE of 0 octets");
      if (!this.#sender.openConnectionWindow(increment)) {
        throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, "connection's window overflows");
      }
      return;
    }
    const stream = this.#streams.get(id);
    if (stream === undefined) {
      if (!this.#streams.isIdle(id)) return;
      throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, `WINDOW_UPDATE on idle stream ${id}`);
    }
    if (increment === 0) throw new StreamError(id, ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE of 0 octets");
    if (!this.#sender.openStreamWindow(stream, increment)) {
      throw new StreamError(id, ErrorCode.FLOW_CONTROL_ERROR, "stream's window overflows");
    }
  }

  #onRstStream(id: number, length: number): void {
    requireStream(id, "RST_STREAM");
    requireLength(length, 4, "RST_STREAM");
    if (this.#streams.isIdle(id)) {
      throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, `RST_STREAM on idle stream ${id}`);
    }
    this.#guard.oddFrame("RST_STREAM frames");
    const stream = this.#streams.get(id);
    if (stream !== undefined) this.#closeEarly(stream);
  }

  #onSettings(flags: number, id: number, bytes: Uint8Array, start: number, end: number): void {
    requireNoStream(id, "SETTINGS");
    this.#guard.oddFrame("SETTINGS frames");
    if (flags & Flag.ACK) return requireLength(end - start, 0, "SETTINGS acknowledgment");
    if ((end - start) % SETTING_BYTES !== 0) {
      throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, `SETTINGS is ${end - start} octets`);
    }
    if (end - start > this.#limits.maxSettingsEntries * SETTING_BYTES) {
      throw new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, "too many settings");
    }
    this.#hasSettings = true;
    this.#peerSettings.apply(bytes, start, end, this);
    writeSettingsAck(this.output);
  }

  #onPing(flags: number, id: number, opaque: Uint8Array): void {
    requireNoStream(id, "PING");
    requireLength(opaque.length, 8, "PING");
    this.#guard.oddFrame("PING frames");
    if ((flags & Flag.ACK) === 0) writePing(this.output, opaque, Flag.ACK);
    else if (this.#drain === "announced" && opaque[7] === DRAIN_PING[7]) this.#finalGoaway();
  }

  #onPriority(id: number, bytes: Uint8Array, start: number, end: number): void {
    requireStream(id, "PRIORITY");
    this.#guard.oddFrame("PRIORITY frames");
    if (end - start !== PRIORITY_BYTES) {
      throw new StreamError(id, ErrorCode.FRAME_SIZE_ERROR, `PRIORITY is ${end - start} octets`);
    }
    checkPriority(id, bytes, start);
  }

  /** The client will open no more streams: those that it has are finished, as in a drain of our own. */
  #onGoaway(id: number, length: number): void {
    requireNoStream(id, "GOAWAY");
    if (length < 8) throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, `GOAWAY is ${length} octets`);
    this.#guard.oddFrame("GOAWAY frames");
    this.#finalGoaway();
  }

  // -- SettingsEffects

  onHeaderTableSize(bytes: number): void {
    this.#sender.setPeerTableSize(bytes);
  }

  onInitialWindowChange(differenceBytes: number): void {
    for (const stream of this.#streams.values()) {
      if (!this.#sender.openStreamWindow(stream, differenceBytes)) {
        throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, `window of stream ${stream.id} overflows`);
      }
    }
  }

  // -- StreamHost

  sendHeaders(stream: Stream, fields: readonly HeaderField[]): void {
    if (stream.isClosed) return;
    this.#sender.headers(stream, fields);
    this.#touch();
  }

  sendData(stream: Stream, prefix: Uint8Array, payload: Uint8Array): boolean {
    if (stream.isClosed) return true;
    const isSent = this.#sender.data(stream, prefix, payload);
    this.#touch();
    return isSent;
  }

  sendTrailers(stream: Stream, fields: readonly HeaderField[]): void {
    if (stream.isClosed) return;
    this.#sender.trailers(stream, fields);
    this.#touch();
  }

  resetStream(stream: Stream, code: ErrorCode): void {
    if (stream.isClosed) return;
    writeRstStream(this.output, stream.id, code);
    this.#streams.rememberReset(stream.id);
    this.#close(stream);
    this.#touch();
  }

  consume(stream: Stream, bytes: number): void {
    if (stream.isClosed || stream.remoteEnded || stream.localEnded) return;
    stream.receiveWindow.consume(bytes, stream.id, this.output);
    this.#touch();
  }

  // -- SenderEvents

  onLocalEnd(stream: Stream): void {
    stream.localEnded = true;
    if (stream.remoteEnded) this.#close(stream);
  }

  onDataSent(): void {
    this.#guard.dataSent();
  }

  // -- inner

  /** The server's preface: settings, and the connection's window, which only WINDOW_UPDATE can open. */
  #announce(): void {
    writeSettings(this.output, [
      [SettingId.MAX_CONCURRENT_STREAMS, this.#limits.maxConcurrentStreams],
      [SettingId.INITIAL_WINDOW_SIZE, this.#limits.streamWindowBytes],
      [SettingId.MAX_HEADER_LIST_SIZE, this.#limits.maxHeaderListBytes],
    ]);
    const increment = this.#limits.connectionWindowBytes - DEFAULT_WINDOW_BYTES;
    if (increment > 0) writeWindowUpdate(this.output, 0, increment);
  }

  #finalGoaway(): void {
    if (this.#drain === "final") return;
    this.#drain = "final";
    writeGoaway(this.output, this.#streams.lastId, ErrorCode.NO_ERROR, "");
    this.#finishWhenDrained();
    this.#touch();
  }

  #finishWhenDrained(): void {
    if (this.#drain === "final" && this.#streams.size === 0) this.#isFinished = true;
  }

  #resetById(id: number, code: ErrorCode): void {
    const stream = this.#streams.get(id);
    writeRstStream(this.output, id, code);
    this.#streams.rememberReset(id);
    if (stream !== undefined) this.#closeEarly(stream);
  }

  #closeEarly(stream: Stream): void {
    this.#close(stream);
    stream.receiver?.onClosed();
  }

  #close(stream: Stream): void {
    stream.isClosed = true;
    this.#sender.discard(stream);
    this.#streams.remove(stream);
    this.#finishWhenDrained();
  }

  #touch(): void {
    if (!this.#isInTurn) this.#host.wake();
  }
}

function prioritySelfDependency(id: number, bytes: Uint8Array, start: number): StreamError | undefined {
  return (readUint32(bytes, start) & 0x7fffffff) === id
    ? new StreamError(id, ErrorCode.PROTOCOL_ERROR, "stream depends on itself")
    : undefined;
}
