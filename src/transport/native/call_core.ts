import { CallError } from "../grpc/call_error.ts";
import { decompress } from "../grpc/compression.ts";
import { statusFromError } from "../grpc/error_status.ts";
import type { Arriving } from "../grpc/message_memory.ts";
import { checkLength, MessageReader, PREFIX_BYTES } from "../grpc/message_reader.ts";
import { fieldsFromMetadata, metadataFromFields } from "../grpc/metadata_fields.ts";
import { prefixed, type PrefixedWriter } from "../grpc/prefixed_writer.ts";
import { OK_STATUS, RESPONSE_HEADERS, statusTrailers } from "../grpc/response_fields.ts";
import type { Timer } from "../../core/clock.ts";
import type { HeaderField } from "../hpack/header_field.ts";
import type { Stream, StreamReceiver } from "../http2/stream.ts";
import type { Metadata } from "../metadata.ts";
import type { ServerCall, StatusObject } from "../service.ts";
import { Status } from "../status.ts";
import type { CallPlan } from "./call_plan.ts";
import type { CallSession } from "./call_session.ts";
import type { Place, TimeLimit, TimeLimited } from "./time_limit.ts";
import type { Upload, Uploading } from "./upload_limit.ts";

/** Larger messages count, requests until their call has ended; smaller ones are bounded by their number. */
const COUNTED_BYTES = 16 * 1024;

/**
 * One gRPC call on one stream: messages out of DATA and into it, one status at the end, deadline and
 * cancellation. What costs something is made when first asked for: metadata, signal, timer, message reader.
 */
export abstract class CallCore implements StreamReceiver, ServerCall, TimeLimited, Uploading, Arriving {
  protected readonly session: CallSession;
  protected readonly stream: Stream;
  protected readonly plan: CallPlan;
  #reader: MessageReader | undefined;
  #metadata: Metadata | undefined;
  #abort: AbortController | undefined;
  /** The client's deadline, where the server has no limit. */
  #timer: Timer | undefined;
  #place: Place | undefined;
  /** While the request is not complete, unless it came in one turn or is a stream. */
  #upload: Upload | undefined;
  readonly #deadlineMs: number;
  /** What the server's memory counts for the request once it is complete. */
  #countedBytes = 0;
  /** Octets that wait for room in the server's memory: their client may not send as many more until then. */
  #withheldBytes = 0;
  #isWaiting = false;
  /** Whether the request is whatever has just arrived, without a copy: the handler has to run in this turn. */
  protected isBorrowing = false;
  /** What the last response has taken, in octets. */
  protected answerBytes = 0;
  #hasSentHeaders = false;
  /** `answered`: a status has been sent. `cancelled`: nobody is left to hear the handler. */
  #state: "open" | "answered" | "cancelled" = "open";

  constructor(session: CallSession, stream: Stream, plan: CallPlan) {
    this.session = session;
    this.stream = stream;
    this.plan = plan;
    this.#deadlineMs = stream.openedAtMs + plan.timeoutMs;
  }

  /** Takes a decoded request. @throws {CallError} when there is one too many. */
  protected abstract onRequest(request: unknown): void;
  /** The client has sent all its messages. */
  protected abstract onHalfClose(): void;
  /** The client will hear nothing more: cancelled, timed out or lost. */
  protected abstract onCancelled(): void;
  /**
   * Whether the handler runs as soon as the request is complete. Then it sees octets where they have arrived,
   * without a copy, until it returns for the first time.
   */
  protected abstract get usesRequestAtOnce(): boolean;
  /** The server's own limit for this kind of call once its request is complete; undefined where it has none. */
  protected abstract get timeLimit(): TimeLimit | undefined;
  abstract onDrain(): void;
  abstract onShutdown(): void;

  /** Whether the status has been sent, or nobody is left to hear it. */
  protected get isEnded(): boolean {
    return this.#state !== "open";
  }

  // -- ServerCall

  get metadata(): Metadata {
    return this.#metadata ??= metadataFromFields(this.plan.head.fields);
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.cancelled) this.#abort.abort();
    }
    return this.#abort.signal;
  }

  get cancelled(): boolean {
    return this.#state === "cancelled";
  }

  getPath(): string {
    return this.plan.method.path;
  }

  getPeer(): string {
    return this.session.peer;
  }

  getDeadline(): number {
    return this.#deadlineMs;
  }

  sendMetadata(metadata: Metadata): void {
    if (this.isEnded || this.#hasSentHeaders) return;
    this.#sendHeaders([...RESPONSE_HEADERS, ...fieldsFromMetadata(metadata)]);
  }

  // -- StreamReceiver

  onData(bytes: Uint8Array, start: number, end: number, isLast: boolean): void {
    if (this.isEnded) return;
    this.isBorrowing = isLast && this.usesRequestAtOnce;
    try {
      if (this.#reader === undefined && this.#isOneMessage(bytes, start, end)) {
        this.#receive(bytes.subarray(start + PREFIX_BYTES, end), false);
      } else {
        this.#reader ??= this.#makeReader();
        this.#reader.push(bytes, start, end);
      }
    } catch (error) {
      this.#abortWith(statusFromError(error));
    }
    if (this.#reader?.isInsideMessage) this.#consumeWithRoom(end - start);
    else this.consumed(end - start);
  }

  onEnd(): void {
    if (this.isEnded) return;
    if (this.#upload !== undefined) this.#endUpload(this.#upload);
    if (this.#reader !== undefined) this.session.environment.memory.leave(this);
    if (this.#reader?.isInsideMessage) {
      this.#abortWith(new CallError(Status.INTERNAL, "request ends inside a message"));
    } else {
      this.onHalfClose();
    }
  }

  onClosed(): void {
    this.#cancel();
  }

  /** The octets have been copied or decoded; a call that reads slowly gives them back later. */
  protected consumed(bytes: number): void {
    this.stream.consume(bytes);
  }

  // -- for the kinds of calls

  /**
   * Sees to it that the call ends in time, unless it has ended in the turn that began it: first its request's time
   * counts, then its own.
   */
  armTimer(): void {
    if (this.isEnded) return;
    const { clock, uploadLimit } = this.session.environment;
    if (!this.plan.method.requestStream && !this.stream.remoteEnded) {
      this.#upload = uploadLimit.enter(this, this.#deadlineMs);
      return;
    }
    const limit = this.timeLimit;
    if (limit !== undefined) {
      this.#place = limit.enter(this, this.#deadlineMs);
    } else if (this.#deadlineMs < Infinity) {
      const leftMs = this.#deadlineMs - clock.now();
      this.#timer = clock.setTimer(() => this.onTimeUp(), leftMs, "background");
    }
  }

  onTimeUp(): void {
    const isClients = this.#place === undefined || this.#place.dueMs === this.#deadlineMs;
    const details = isClients
      ? "Deadline exceeded"
      : `Cannot answer within ${this.timeLimit?.limitMs} ms, the server's time limit`;
    this.#abortWith({ code: Status.DEADLINE_EXCEEDED, details });
  }

  get missingBytes(): number {
    return this.#reader?.missingBytes ?? 0;
  }

  onRoom(): void {
    this.#isWaiting = false;
    const bytes = this.#withheldBytes;
    this.#withheldBytes = 0;
    this.consumed(bytes);
  }

  /** Lets the client send on with a message once there is room for it. */
  #consumeWithRoom(bytes: number): void {
    this.#withheldBytes += bytes;
    if (this.#isWaiting || this.isEnded) return;
    this.#isWaiting = true;
    if (this.session.environment.memory.mayGoOn(this)) this.onRoom();
  }

  get isKeptWaiting(): boolean {
    return this.#isWaiting;
  }

  get receivedBytes(): number {
    return this.stream.bodyBytes;
  }

  onUploadTimeUp(details: string): void {
    this.#abortWith({ code: Status.DEADLINE_EXCEEDED, details });
  }

  #endUpload(upload: Upload): void {
    upload.leave();
    this.#upload = undefined;
    this.session.armLater(this);
  }

  /** Sends a response; false when it waits for the client, after which {@link onDrain} comes. */
  protected sendMessage(value: unknown): boolean {
    if (this.isEnded) return true;
    const { method, responseWriter } = this.plan;
    let pieces: readonly Uint8Array[];
    try {
      if (responseWriter === undefined) pieces = prefixed([method.responseSerialize(value)]);
      else if (this.#writeMessage(value, responseWriter)) return true;
      else pieces = responseWriter.pieces(value);
    } catch (error) {
      this.session.environment.onError(error, this.getPath());
      this.sendStatus({ code: Status.INTERNAL, details: "Error serializing response" });
      return true;
    }
    if (!this.#hasSentHeaders) this.#sendHeaders(RESPONSE_HEADERS);
    this.answerBytes = pieces.reduce((sum, { length }) => sum + length, 0);
    if (this.answerBytes > COUNTED_BYTES && this.session.environment.memory.isFull) {
      this.sendStatus({ code: Status.RESOURCE_EXHAUSTED, details: "too many octets of answers at once" });
      return true;
    }
    return this.stream.sendData(pieces);
  }

  /** Ends the call; only the first status counts. */
  protected sendStatus(status: StatusObject): void {
    if (this.isEnded) return;
    this.#writeStatus(status);
    this.#end("answered");
  }

  /** Ends the call with a response, or with the status of an error, as a handler's callback is told. */
  protected answer(error: unknown, value: unknown, trailer: Metadata | null | undefined): void {
    if (error) return this.sendStatus(statusFromError(error, trailer));
    this.sendMessage(value);
    this.sendStatus(trailer ? { ...OK_STATUS, metadata: trailer } : OK_STATUS);
  }

  /** Calls a handler; what it throws ends the call and is reported. */
  protected run(handler: () => void): void {
    try {
      handler();
    } catch (error) {
      this.session.environment.onError(error, this.getPath());
      this.sendStatus({ code: Status.UNKNOWN, details: "Server method handler threw an error" });
    }
  }

  /** Writes a message straight into the connection's output; false when it has to wait. */
  #writeMessage(value: unknown, writer: PrefixedWriter): boolean {
    const length = writer.byteLength(value);
    this.answerBytes = length;
    // The headers come first anyway.
    if (!this.#hasSentHeaders) this.#sendHeaders(RESPONSE_HEADERS);
    return this.stream.writeData(value, length, writer);
  }

  #isOneMessage(bytes: Uint8Array, start: number, end: number): boolean {
    const length = end - start - PREFIX_BYTES;
    return length >= 0 && bytes[start] === 0 && bytes[start + 1] === 0 &&
      ((bytes[start + 2]! << 16) | (bytes[start + 3]! << 8) | bytes[start + 4]!) === length;
  }

  #makeReader(): MessageReader {
    return new MessageReader({
      maxMessageBytes: this.session.environment.maxRequestBytes,
      budget: this.session.bufferBudget,
      pool: this.session.environment.pool,
      onMessage: (bytes, isCompressed) => this.#receive(bytes, isCompressed),
      retire: (buffer) => this.session.retire(buffer),
    });
  }

  #receive(bytes: Uint8Array, isCompressed: boolean): void {
    if (this.isEnded) return;
    this.session.connection.messageReceived();
    const limit = this.session.environment.maxRequestBytes;
    const borrowed = isCompressed ? decompress(bytes, this.plan.encoding, limit) : bytes;
    checkLength(borrowed.length, limit);
    if (borrowed.length > COUNTED_BYTES && !this.plan.method.requestStream) this.#count(borrowed.length);
    const message = this.isBorrowing || isCompressed ? borrowed : borrowed.slice();
    let request: unknown;
    try {
      request = this.plan.method.requestDeserialize(message);
    } catch {
      throw new CallError(Status.INTERNAL, "Error deserializing request");
    }
    this.onRequest(request);
  }

  /** @throws {CallError} */
  #count(bytes: number): void {
    if (!this.session.environment.memory.take(bytes)) {
      throw new CallError(Status.RESOURCE_EXHAUSTED, "too many octets of requests at once");
    }
    this.#countedBytes += bytes;
  }

  #sendHeaders(fields: readonly HeaderField[]): void {
    this.#hasSentHeaders = true;
    this.stream.sendHeaders(fields);
  }

  #writeStatus(status: StatusObject): void {
    const trailers = statusTrailers(this.session.environment.described(status));
    this.stream.sendTrailers(this.#hasSentHeaders ? trailers : [...RESPONSE_HEADERS, ...trailers]);
  }

  /** Ends the call with a status that is not its handler's. */
  #abortWith(status: StatusObject): void {
    if (this.isEnded) return;
    this.#writeStatus(status);
    this.#cancel();
  }

  #cancel(): void {
    if (this.isEnded) return;
    this.#end("cancelled");
    this.#abort?.abort();
    this.onCancelled();
  }

  #end(state: "answered" | "cancelled"): void {
    this.#state = state;
    this.#timer?.cancel();
    this.#place?.leave();
    this.#upload?.leave();
    if (this.#reader !== undefined) this.#endReading(this.#reader);
    if (this.#countedBytes > 0) this.session.environment.memory.give(this.#countedBytes);
  }

  #endReading(reader: MessageReader): void {
    reader.release();
    this.session.environment.memory.leave(this);
  }
}
