import { Duplex } from "node:stream";
import { statusFromError } from "../grpc/error_status.ts";
import { OK_STATUS } from "../grpc/response_fields.ts";
import { Metadata } from "../metadata.ts";
import type { ServerCall, StatusObject } from "../service.ts";
import type { StreamingCall } from "./streaming_call.ts";

/**
 * What handlers of streaming calls see: grpc-js's object streams. Requests are read from it and responses
 * written to it; a side that the method does not have is ended, or never used. The error event sets the status.
 */
export class StreamingSurface extends Duplex implements ServerCall {
  /** The request of a call whose requests are no stream. */
  request: unknown = undefined;
  readonly #call: StreamingCall;
  #status: StatusObject = OK_STATUS;

  constructor(call: StreamingCall) {
    // One request waits at most: the client's window stays closed for what the handler has not taken.
    super({ objectMode: true, readableHighWaterMark: 1 });
    this.#call = call;
    this.on("error", (error: unknown) => {
      this.#status = statusFromError(error);
      if (this.destroyed) call.finish(this.#status);
      else this.end();
    });
  }

  get metadata(): Metadata {
    return this.#call.metadata;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }

  get cancelled(): boolean {
    return this.#call.cancelled;
  }

  getPath(): string {
    return this.#call.getPath();
  }

  getPeer(): string {
    return this.#call.getPeer();
  }

  getDeadline(): number {
    return this.#call.getDeadline();
  }

  sendMetadata(metadata: Metadata): void {
    this.#call.sendMetadata(metadata);
  }

  /** Ends the responses; `trailer` goes out with the status. */
  override end(trailer?: unknown): this {
    if (trailer instanceof Metadata) this.#status = { ...this.#status, metadata: trailer };
    return super.end();
  }

  override _read(): void {
    this.#call.resume();
  }

  override _write(value: unknown, _encoding: string, onSent: () => void): void {
    this.#call.write(value, onSent);
  }

  override _final(onEnded: () => void): void {
    this.#call.finish(this.#status);
    onEnded();
  }
}
