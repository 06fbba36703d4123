import { Duplex } from "node:stream";
import { statusFromError } from "../grpc/error_status.ts";
import { OK_STATUS } from "../grpc/response_fields.ts";
import { Metadata } from "../metadata.ts";
import type { ServerCall, StatusObject } from "../service.ts";

/** The call under a {@link CallStream}. */
export interface StreamedCall extends ServerCall {
  /** The handler takes more requests. */
  resume(): void;
  /** Sends a response; `onSent` is called when the next may come. */
  write(value: unknown, onSent: () => void): void;
  /** Ends the responses. */
  finish(status: StatusObject): void;
}

/**
 * The Node stream that handlers of streaming calls get, as grpc-js has it: they read requests from it and write
 * responses to it. A side that the method does not have is ended or never used. The error event sets the status.
 */
export class CallStream extends Duplex implements ServerCall {
  /** The request of a call whose requests are no stream. */
  request: unknown = undefined;
  readonly #call: StreamedCall;
  #status: StatusObject = OK_STATUS;

  constructor(call: StreamedCall) {
    // At most one request waits for the handler: the client's window stays closed for it.
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

  getDeadline(): Date | number {
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
