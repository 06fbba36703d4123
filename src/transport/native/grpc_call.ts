import type { DeadlineQueue, TimeBounded } from "../../core/deadline_queue.ts";
import { decompress } from "../grpc/compression.ts";
import { CallError, statusFromError } from "../grpc/error_status.ts";
import type { IncomingRequest } from "../grpc/message_memory.ts";
import { checkLength, MessageReader, PREFIX_BYTES } from "../grpc/message_reader.ts";
import { fieldsFromMetadata, metadataFromFields } from "../grpc/metadata_fields.ts";
import { prefixed, type PrefixedWriter } from "../grpc/prefixed_writer.ts";
import { OK_STATUS, RESPONSE_HEADERS, statusTrailers } from "../grpc/response_fields.ts";
import type { HeaderField } from "../hpack/header_field.ts";
import type { Stream, StreamReceiver } from "../http2/stream.ts";
import type { Metadata } from "../metadata.ts";
import type { ServerCall, StatusObject } from "../service.ts";
import { Status } from "../status.ts";
import type { CallHost } from "./call_host.ts";
import type { RoutedCall } from "./request_routing.ts";
import type { Upload, Uploading } from "./upload_limit.ts";

/** Larger requests count until their call ends; smaller ones are bounded by the number of calls. */
const COUNTED_BYTES = 16 * 1024;

/**
 * One gRPC call on one stream: messages out of DATA and into it, one status at the end, deadline and cancellation.
 * Metadata, signal, timer and message reader are made when first needed.
 */
export abstract class GrpcCall
  implements StreamReceiver, ServerCall, TimeBounded, Uploading, IncomingRequest {
  protected readonly host: CallHost;
  protected readonly stream: Stream;
  protected readonly route: RoutedCall;
  #reader: MessageReader | undefined;
  #metadata: Metadata | undefined;
  #abort: AbortController | undefined;
  /** Set once the request is complete, if the call is bounded. */
  #timer: { cancel(): unknown } | undefined;
  /** Whether the timer is for the server's limit, which comes before the client's deadline. */
  #endsByLimit = false;
  /** Set while a unary request arrives that did not come in one turn. */
  #upload: Upload | undefined;
  readonly #deadlineMs: number;
  /** Bytes of the complete request that count in the server's memory. */
  #countedBytes = 0;
  /** Received octets that are not given back to the client's window until there is room in memory. */
  #withheldBytes = 0;
  #isWaiting = false;
  /** Whether the request is a view of the read buffer: the handler must run in this turn. */
  protected isBorrowing = false;
  /** Size of the last response. */
  protected responseBytes = 0;
  #hasSentHeaders = false;
  /** `responded`: the status is sent. `cancelled`: the client receives nothing more. */
  #state: "open" | "responded" | "cancelled" = "open";

  constructor(host: CallHost, stream: Stream, route: RoutedCall) {
    this.host = host;
    this.stream = stream;
    this.route = route;
    this.#deadlineMs = stream.openedAtMs + route.timeoutMs;
  }

  /** Takes a decoded request. @throws {CallError} when there is one too many. */
  protected abstract onRequest(request: unknown): void;
  /** The client has sent all its messages. */
  protected abstract onHalfClose(): void;
  /** The call is cancelled, timed out or lost: the client receives nothing more. */
  protected abstract onCancelled(): void;
  /**
   * Whether the handler runs as soon as the request is complete. It then sees the octets in the read buffer, without a
   * copy, until it first returns.
   */
  protected abstract get usesRequestAtOnce(): boolean;
  /** The server's own limit for this kind of call once its request is complete; undefined when it has none. */
  protected abstract get timeLimit(): DeadlineQueue | undefined;
  abstract onDrain(): void;
  abstract onShutdown(): void;

  /** Whether the status is sent or the call is cancelled. */
  protected get isEnded(): boolean {
    return this.#state !== "open";
  }

  // -- ServerCall

  get metadata(): Metadata {
    return this.#metadata ??= metadataFromFields(this.route.head.fields);
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
    return this.route.method.path;
  }

  getPeer(): string {
    return this.host.peer;
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
    if (this.#reader !== undefined) this.host.environment.memory.leave(this);
    if (this.#reader?.isInsideMessage) {
      this.#abortWith(new CallError(Status.INTERNAL, "request ends inside a message"));
    } else {
      this.onHalfClose();
    }
  }

  onClosed(): void {
    this.#cancel();
  }

  /** The octets are copied or decoded. A call whose handler reads slowly returns them to the window later. */
  protected consumed(bytes: number): void {
    this.stream.consume(bytes);
  }

  // -- for the kinds of calls

  /**
   * Bounds the call in time. Called at the end of the turn that began it, so that a call that ends in one turn sets no
   * timer; and again when the request is complete, which ends the upload's time and begins the call's own.
   */
  armTimer(): void {
    if (this.isEnded) return;
    const { clock, uploadLimit } = this.host.environment;
    if (!this.route.method.requestStream && !this.stream.remoteEnded) {
      this.#upload = uploadLimit.watch(this, this.#deadlineMs);
      return;
    }
    const limit = this.timeLimit;
    const leftMs = this.#deadlineMs - clock.now();
    if (limit !== undefined) {
      this.#endsByLimit = limit.timeoutMs < leftMs;
      this.#timer = limit.add(this, leftMs);
    } else if (leftMs < Infinity) {
      this.#timer = clock.setTimer(() => this.onTimeUp(), leftMs, "background");
    }
  }

  onTimeUp(): void {
    const details = this.#endsByLimit
      ? `Cannot answer within ${this.timeLimit?.timeoutMs} ms, the server's time limit`
      : "Deadline exceeded";
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

  /** Lets the client continue with a message once there is room for it. */
  #consumeWithRoom(bytes: number): void {
    this.#withheldBytes += bytes;
    if (this.#isWaiting || this.isEnded) return;
    this.#isWaiting = true;
    if (this.host.environment.memory.mayContinue(this)) this.onRoom();
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
    upload.cancel();
    this.#upload = undefined;
    this.host.armLater(this);
  }

  /** Sends a response. Returns false when it is queued; {@link onDrain} follows. */
  protected sendMessage(value: unknown): boolean {
    if (this.isEnded) return true;
    const { method, responseWriter } = this.route;
    let pieces: readonly Uint8Array[];
    try {
      if (responseWriter === undefined) pieces = prefixed([method.responseSerialize(value)]);
      else if (this.#writeMessage(value, responseWriter)) return true;
      else pieces = responseWriter.pieces(value);
    } catch (error) {
      this.host.environment.onError(error, this.getPath());
      this.sendStatus({ code: Status.INTERNAL, details: "Error serializing response" });
      return true;
    }
    if (!this.#hasSentHeaders) this.#sendHeaders(RESPONSE_HEADERS);
    this.responseBytes = pieces.reduce((sum, { length }) => sum + length, 0);
    if (this.responseBytes > COUNTED_BYTES && this.host.environment.memory.isFull) {
      this.sendStatus({ code: Status.RESOURCE_EXHAUSTED, details: "too many octets of answers at once" });
      return true;
    }
    return this.stream.sendData(pieces);
  }

  /** Ends the call. Only the first status counts. */
  protected sendStatus(status: StatusObject): void {
    if (this.isEnded) return;
    this.#writeStatus(status);
    this.#end("responded");
  }

  /** Ends the call with a response, or with the status of an error: the arguments of a handler's callback. */
  protected respond(error: unknown, value: unknown, trailer: Metadata | null | undefined): void {
    if (error) return this.sendStatus(statusFromError(error, trailer));
    this.sendMessage(value);
    this.sendStatus(trailer ? { ...OK_STATUS, metadata: trailer } : OK_STATUS);
  }

  /** Calls a handler. An error that it throws is reported and ends the call. */
  protected run(handler: () => void): void {
    try {
      handler();
    } catch (error) {
      this.host.environment.onError(error, this.getPath());
      this.sendStatus({ code: Status.UNKNOWN, details: "Server method handler threw an error" });
    }
  }

  /** Writes a message straight into the connection's output; false when it has to wait. */
  #writeMessage(value: unknown, writer: PrefixedWriter): boolean {
    const length = writer.byteLength(value);
    this.responseBytes = length;
    // The headers come first, even if the message then has to wait.
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
      maxMessageBytes: this.host.environment.maxRequestBytes,
      budget: this.host.bufferBudget,
      pool: this.host.environment.pool,
      onMessage: (bytes, isCompressed) => this.#receive(bytes, isCompressed),
      retire: (buffer) => this.host.retire(buffer),
    });
  }

  #receive(bytes: Uint8Array, isCompressed: boolean): void {
    if (this.isEnded) return;
    this.host.messageReceived();
    const limit = this.host.environment.maxRequestBytes;
    const borrowed = isCompressed ? decompress(bytes, this.route.encoding, limit) : bytes;
    checkLength(borrowed.length, limit);
    if (borrowed.length > COUNTED_BYTES && !this.route.method.requestStream) this.#count(borrowed.length);
    const message = this.isBorrowing || isCompressed ? borrowed : borrowed.slice();
    let request: unknown;
    try {
      request = this.route.method.requestDeserialize(message);
    } catch {
      throw new CallError(Status.INTERNAL, "Error deserializing request");
    }
    this.onRequest(request);
  }

  /** @throws {CallError} */
  #count(bytes: number): void {
    if (!this.host.environment.memory.acquire(bytes)) {
      throw new CallError(Status.RESOURCE_EXHAUSTED, "too many octets of requests at once");
    }
    this.#countedBytes += bytes;
  }

  #sendHeaders(fields: readonly HeaderField[]): void {
    this.#hasSentHeaders = true;
    this.stream.sendHeaders(fields);
  }

  #writeStatus(status: StatusObject): void {
    const trailers = statusTrailers(this.host.environment.withDetails(status));
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

  #end(state: "responded" | "cancelled"): void {
    this.#state = state;
    this.#timer?.cancel();
    this.#upload?.cancel();
    if (this.#reader !== undefined) this.#endReading(this.#reader);
    if (this.#countedBytes > 0) this.host.environment.memory.release(this.#countedBytes);
  }

  #endReading(reader: MessageReader): void {
    reader.release();
    this.host.environment.memory.leave(this);
  }
}
