import type { BufferPool } from "../buffer_pool.ts";
import { OutputBuffer } from "../output_buffer.ts";
import { AbuseGuard } from "./abuse_guard.ts";
import { ConnectionError, ErrorCode, StreamError } from "./errors.ts";
import { FrameReader, type FrameSink } from "./frame_reader.ts";
import {
  isSelfDependent,
  PRIORITY_BYTES,
  requireLength,
  requireNoStream,
  requireStream,
} from "./frame_rules.ts";
import {
  writeGoaway,
  writePing,
  writeSettings,
  writeSettingsAck,
  writeWindowUpdate,
} from "./frame_writer.ts";
import type { Http2Limits } from "./limits.ts";
import { applySettings } from "./peer_settings.ts";
import { PrefaceReader } from "./preface_reader.ts";
import {
  DEFAULT_WINDOW_BYTES,
  Flag,
  FrameType,
  MAX_STREAM_ID,
  SETTING_BYTES,
  SettingId,
} from "./protocol.ts";
import { type RequestAcceptor, RequestStreams } from "./request_streams.ts";
import { type ConnectionAge, Watchdog } from "./watchdog.ts";

/** What a connection needs of its socket. */
export interface ConnectionHost {
  /** There is output, or the connection has finished, outside of {@link ServerConnection.receive}. */
  wake(): void;
  /** Reports a bug of this program. It has ended the connection. */
  onInternalError(error: unknown): void;
  /** Reports that the connection ends because of what its client did, or did not do in time. */
  onClientFault(reason: string): void;
}

export interface ConnectionOptions {
  readonly limits: Http2Limits;
  readonly age: ConnectionAge;
  readonly now: () => number;
  readonly pool: BufferPool;
}

/** The opaque octets of our PINGs, which tell their ACKs apart. */
const KEEPALIVE_PING = new Uint8Array([0, 0, 0, 0, 0, 0, 0, 1]);
const DRAIN_PING = new Uint8Array([0, 0, 0, 0, 0, 0, 0, 2]);

/**
 * The server's end of one HTTP/2 connection. {@link receive} takes octets, {@link output} holds those to send, and the
 * acceptor gets the requests. It does no I/O and sets no timer. Source: RFC 9113.
 */
export class ServerConnection implements FrameSink {
  /** Octets to write to the client. */
  readonly output: OutputBuffer;
  readonly #limits: Http2Limits;
  readonly #now: () => number;
  readonly #host: ConnectionHost;
  readonly #acceptor: RequestAcceptor;
  readonly #preface = new PrefaceReader();
  readonly #reader: FrameReader;
  readonly #guard: AbuseGuard;
  readonly #streams: RequestStreams;
  readonly #watchdog: Watchdog;
  #hasSettings = false;
  #isInTurn = false;
  #drain: "no" | "announced" | "final" = "no";
  #isFinished = false;

  constructor(
    host: ConnectionHost,
    acceptor: (connection: ServerConnection) => RequestAcceptor,
    options: ConnectionOptions,
  ) {
    this.#host = host;
    this.#limits = options.limits;
    this.#now = options.now;
    this.output = new OutputBuffer(options.pool);
    this.#reader = new FrameReader(this, options.pool);
    this.#guard = new AbuseGuard(options.limits, options.now);
    this.#watchdog = new Watchdog(options.limits, options.age, options.now());
    this.#acceptor = acceptor(this);
    this.#streams = new RequestStreams({
      limits: options.limits,
      guard: this.#guard,
      output: this.output,
      acceptor: this.#acceptor,
      now: options.now,
      onOutput: () => this.#wakeOutsideTurn(),
      onStreamClosed: () => this.#finishWhenDrained(),
    });
    this.#announce();
  }

  /** Whether the connection ends once {@link output} is written. */
  get isFinished(): boolean {
    return this.#isFinished;
  }

  /** Whether so much output waits for the client that no further call should start. */
  get isCongested(): boolean {
    return this.#streams.queuedBytes + this.output.length > this.#limits.maxQueuedOutputBytes;
  }

  /** Octets of bodies that wait for a window or for the socket. */
  get queuedBytes(): number {
    return this.#streams.queuedBytes;
  }

  get openStreams(): number {
    return this.#streams.size;
  }

  /** Takes octets of the client. `chunk` is not kept. */
  receive(chunk: Uint8Array): void {
    if (this.#isFinished) return;
    this.#isInTurn = true;
    try {
      const start = this.#preface.isComplete ? 0 : this.#preface.push(chunk);
      if (this.#preface.isComplete) this.#reader.push(chunk, start);
    } catch (error) {
      this.#onError(error);
    } finally {
      this.#isInTurn = false;
    }
    this.pump();
  }

  /** Moves queued bodies to {@link output}. Call it when output has been written. */
  pump(): void {
    this.#isInTurn = true;
    this.#streams.pump();
    this.#acceptor.onTurnEnd();
    this.#isInTurn = false;
  }

  /** Checks the time limits. Call it about once a second. */
  tick(stalledOutputTimeoutMs: number): void {
    if (this.#isFinished) return;
    // A socket that is not read, because of too much output, cannot complete a frame.
    const isRead = this.output.length <= this.#limits.maxQueuedOutputBytes;
    const verdict = this.#watchdog.check(this.#now(), {
      isReady: this.#hasSettings,
      framesRead: this.#reader.framesRead,
      isInsideFrame: isRead && (this.#reader.isInsideFrame || this.#streams.pendingHeadersId !== 0),
      openStreams: this.#streams.size,
      lastStreamId: this.#streams.lastId,
      dataFramesSent: this.#streams.dataFramesSent,
      queuedBytes: this.#streams.queuedBytes,
      isDraining: this.#drain !== "no",
      stalledOutputTimeoutMs,
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
   * Lets the calls in flight end and takes no new ones. The first GOAWAY allows for requests on their way. The ACK of
   * the PING after it shows that they have arrived, and the second GOAWAY names the last. Source: RFC 9113 section 6.8.
   */
  drain(): void {
    if (this.#drain !== "no" || this.#isFinished) return;
    if (!this.#hasSettings) return this.fail(ErrorCode.NO_ERROR, "");
    this.#drain = "announced";
    writeGoaway(this.output, MAX_STREAM_ID, ErrorCode.NO_ERROR, "");
    writePing(this.output, DRAIN_PING, 0);
    this.#host.wake();
  }

  /** Drains, and ends the calls that have no end of their own. */
  shutDown(): void {
    this.drain();
    this.#streams.shutDown();
  }

  /** Ends the connection with a GOAWAY, and all its streams. */
  fail(code: ErrorCode, reason: string): void {
    if (this.#isFinished) return;
    if (code !== ErrorCode.NO_ERROR && code !== ErrorCode.INTERNAL_ERROR) this.#host.onClientFault(reason);
    writeGoaway(this.output, this.#streams.lastId, code, reason);
    this.abandon();
    this.#host.wake();
  }

  /** The connection is lost. Ends all streams without sending anything. */
  abandon(): void {
    this.#isFinished = true;
    this.#streams.closeAll();
    this.#acceptor.onTurnEnd();
  }

  /** A request message is complete; see {@link AbuseGuard.messageReceived}. */
  messageReceived(): void {
    this.#guard.messageReceived();
  }

  // -- FrameSink

  onFrame(type: number, flags: number, id: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.#isFinished) return;
    const pendingId = this.#streams.pendingHeadersId;
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
      this.#streams.onStreamError(error);
    }
  }

  #dispatch(type: number, flags: number, id: number, bytes: Uint8Array, start: number, end: number): void {
    switch (type) {
      case FrameType.DATA:
        return this.#streams.onData(flags, id, bytes, start, end);
      case FrameType.HEADERS:
        return this.#streams.onHeaders(flags, id, bytes, start, end);
      case FrameType.CONTINUATION:
        return this.#streams.onContinuation(flags, bytes, start, end);
      case FrameType.WINDOW_UPDATE:
        return this.#streams.onWindowUpdate(id, bytes, start, end);
      case FrameType.RST_STREAM:
        return this.#streams.onRstStream(id, end - start);
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
        this.#guard.controlFrame("frames of unknown type");
    }
  }

  #onSettings(flags: number, id: number, bytes: Uint8Array, start: number, end: number): void {
    requireNoStream(id, "SETTINGS");
    this.#guard.controlFrame("SETTINGS frames");
    if (flags & Flag.ACK) {
      requireLength(end - start, 0, "SETTINGS acknowledgment");
      return this.#streams.onSettingsAcknowledged();
    }
    if ((end - start) % SETTING_BYTES !== 0) {
      throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, `SETTINGS is ${end - start} octets`);
    }
    if (end - start > this.#limits.maxSettingsEntries * SETTING_BYTES) {
      throw new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, "too many settings");
    }
    this.#hasSettings = true;
    applySettings(bytes, start, end, this.#streams);
    writeSettingsAck(this.output);
  }

  #onPing(flags: number, id: number, opaque: Uint8Array): void {
    requireNoStream(id, "PING");
    requireLength(opaque.length, 8, "PING");
    this.#guard.controlFrame("PING frames");
    if ((flags & Flag.ACK) === 0) writePing(this.output, opaque, Flag.ACK);
    else if (this.#drain === "announced" && opaque[7] === DRAIN_PING[7]) this.#finalGoaway();
  }

  #onPriority(id: number, bytes: Uint8Array, start: number, end: number): void {
    requireStream(id, "PRIORITY");
    this.#guard.controlFrame("PRIORITY frames");
    if (end - start !== PRIORITY_BYTES) {
      throw new StreamError(id, ErrorCode.FRAME_SIZE_ERROR, `PRIORITY is ${end - start} octets`);
    }
    if (isSelfDependent(id, bytes, start)) {
      throw new StreamError(id, ErrorCode.PROTOCOL_ERROR, "stream depends on itself");
    }
  }

  /** The client opens no more streams. Those that are open end as in a drain of our own. */
  #onGoaway(id: number, length: number): void {
    requireNoStream(id, "GOAWAY");
    if (length < 8) throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, `GOAWAY is ${length} octets`);
    this.#guard.controlFrame("GOAWAY frames");
    this.#finalGoaway();
  }

  // -- inner

  #onError(error: unknown): void {
    if (error instanceof ConnectionError) return this.fail(error.code, error.message);
    this.fail(ErrorCode.INTERNAL_ERROR, "internal error");
    this.#host.onInternalError(error);
  }

  /** Sends the server's preface: settings, and a WINDOW_UPDATE, as settings do not cover the connection's window. */
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
    this.#streams.refuseNew();
    this.#finishWhenDrained();
    this.#wakeOutsideTurn();
  }

  #finishWhenDrained(): void {
    if (this.#drain === "final" && this.#streams.size === 0) this.#isFinished = true;
  }

  #wakeOutsideTurn(): void {
    if (!this.#isInTurn) this.#host.wake();
  }
}
