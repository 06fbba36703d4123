import { CallError } from "../grpc/error_status.ts";
import type { Stream } from "../http2/stream.ts";
import type { Metadata } from "../metadata.ts";
import { SHUTTING_DOWN, type StatusObject } from "../service.ts";
import { Status } from "../status.ts";
import type { CallHost } from "./call_host.ts";
import { CallStream, type StreamedCall } from "./call_stream.ts";
import { GrpcCall } from "./grpc_call.ts";
import type { RoutedCall } from "./request_routing.ts";

/** Opens a call whose requests, responses or both are a stream. */
export function openStreamingCall(host: CallHost, stream: Stream, route: RoutedCall): GrpcCall {
  const call = new StreamingCall(host, stream, route);
  if (route.method.requestStream) call.start();
  return call;
}

/** A call with a stream in at least one direction. Its handler sees the {@link CallStream}. */
export class StreamingCall extends GrpcCall implements StreamedCall {
  readonly #callStream = new CallStream(this);
  #hasRequest = false;
  #isReading = true;
  /** Octets of messages that the handler has not taken. */
  #heldBytes = 0;
  #onSent: (() => void) | undefined;

  /** Runs the handler. */
  start(): void {
    const { requestStream, responseStream } = this.route.method;
    this.run(() => {
      if (responseStream) this.route.handler(this.#callStream);
      else this.route.handler(this.#callStream, this.#respond);
    });
    if (!requestStream) this.#callStream.push(null);
  }

  write(value: unknown, onSent: () => void): void {
    if (this.sendMessage(value)) onSent();
    else this.#onSent = onSent;
  }

  finish(status: StatusObject): void {
    this.sendStatus(status);
  }

  resume(): void {
    this.#isReading = true;
    super.consumed(this.#heldBytes);
    this.#heldBytes = 0;
  }

  override onDrain(): void {
    const onSent = this.#onSent;
    this.#onSent = undefined;
    onSent?.();
  }

  override onShutdown(): void {
    if (!this.#callStream.writableEnded) this.run(() => void this.#callStream.emit("error", SHUTTING_DOWN));
  }

  protected override get usesRequestAtOnce(): boolean {
    return false;
  }

  /** A stream may stay open for as long as its client wants. */
  protected override get timeLimit(): undefined {
    return undefined;
  }

  protected override onRequest(request: unknown): void {
    if (this.route.method.requestStream) {
      // A listener of the handler may throw.
      return this.run(() => void (this.#isReading = this.#callStream.push(request)));
    }
    if (this.#hasRequest) throw new CallError(Status.UNIMPLEMENTED, "call has more than one request message");
    this.#hasRequest = true;
    this.#callStream.request = request;
  }

  protected override onHalfClose(): void {
    if (this.route.method.requestStream) this.#callStream.push(null);
    else if (this.#hasRequest) this.start();
    else this.sendStatus({ code: Status.UNIMPLEMENTED, details: "call has no request message" });
  }

  protected override onCancelled(): void {
    this.run(() => void this.#callStream.emit("cancelled", "cancelled"));
    this.#callStream.destroy();
  }

  protected override consumed(bytes: number): void {
    if (this.#isReading) super.consumed(bytes);
    else this.#heldBytes += bytes;
  }

  readonly #respond = (error: unknown, value?: unknown, trailer?: Metadata | null): void => {
    this.respond(error, value, trailer);
  };
}
