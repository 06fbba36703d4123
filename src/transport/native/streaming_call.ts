import { CallError } from "../grpc/call_error.ts";
import type { Stream } from "../http2/stream.ts";
import type { Metadata } from "../metadata.ts";
import type { StatusObject } from "../service.ts";
import { SHUTTING_DOWN } from "../shutting_down.ts";
import { Status } from "../status.ts";
import { CallCore } from "./call_core.ts";
import type { CallPlan } from "./call_plan.ts";
import type { CallSession } from "./call_session.ts";
import { StreamingSurface } from "./streaming_surface.ts";

/** Opens a call of which the requests, the responses or both are a stream. */
export function openStreamingCall(session: CallSession, stream: Stream, plan: CallPlan): CallCore {
  const call = new StreamingCall(session, stream, plan);
  if (plan.method.requestStream) call.start();
  return call;
}

/** A call with a stream in some direction; its handler sees the {@link StreamingSurface}. */
export class StreamingCall extends CallCore {
  readonly #surface = new StreamingSurface(this);
  #hasRequest = false;
  #isReading = true;
  /** Octets of messages that the handler has not taken. */
  #heldBytes = 0;
  #onSent: (() => void) | undefined;

  /** Runs the handler. */
  start(): void {
    const { requestStream, responseStream } = this.plan.method;
    this.run(() => {
      if (responseStream) this.plan.handler(this.#surface);
      else this.plan.handler(this.#surface, this.#respond);
    });
    if (!requestStream) this.#surface.push(null);
  }

  /** Sends a response; `onSent` is called when the next may come. */
  write(value: unknown, onSent: () => void): void {
    if (this.sendMessage(value)) onSent();
    else this.#onSent = onSent;
  }

  /** Ends the responses. */
  finish(status: StatusObject): void {
    this.sendStatus(status);
  }

  /** The handler takes more requests. */
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
    if (!this.#surface.writableEnded) this.run(() => void this.#surface.emit("error", SHUTTING_DOWN));
  }

  protected override get usesRequestAtOnce(): boolean {
    return false;
  }

  /** A stream may stay open as long as its client likes. */
  protected override get timeLimit(): undefined {
    return undefined;
  }

  protected override onRequest(request: unknown): void {
    if (this.plan.method.requestStream) {
      // A listener of the handler may throw.
      return this.run(() => void (this.#isReading = this.#surface.push(request)));
    }
    if (this.#hasRequest) throw new CallError(Status.UNIMPLEMENTED, "call has more than one request message");
    this.#hasRequest = true;
    this.#surface.request = request;
  }

  protected override onHalfClose(): void {
    if (this.plan.method.requestStream) this.#surface.push(null);
    else if (this.#hasRequest) this.start();
    else this.sendStatus({ code: Status.UNIMPLEMENTED, details: "call has no request message" });
  }

  protected override onCancelled(): void {
    this.run(() => void this.#surface.emit("cancelled", "cancelled"));
    this.#surface.destroy();
  }

  protected override consumed(bytes: number): void {
    if (this.#isReading) super.consumed(bytes);
    else this.#heldBytes += bytes;
  }

  readonly #respond = (error: unknown, value?: unknown, trailer?: Metadata | null): void => {
    this.answer(error, value, trailer);
  };
}
