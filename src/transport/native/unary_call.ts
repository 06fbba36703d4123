import type { DeadlineQueue } from "../../core/deadline_queue.ts";
import { CallError } from "../grpc/error_status.ts";
import type { Metadata } from "../metadata.ts";
import type { UnaryCall } from "../service.ts";
import { Status } from "../status.ts";
import { GrpcCall } from "./grpc_call.ts";

/** A call with one request and one response; its handler sees this object. */
export class UnaryServerCall extends GrpcCall implements UnaryCall<unknown> {
  request: unknown = undefined;
  #hasRequest = false;
  #isHandlerRunning = false;
  /** The expected size of the response; set while the handler takes longer than a turn. */
  #expectedBytes: number | undefined;
  #whenCancelled: (() => void) | undefined;

  whenCancelled(listener: () => void): void {
    if (this.cancelled) return listener();
    const earlier = this.#whenCancelled;
    this.#whenCancelled = earlier === undefined ? listener : () => {
      earlier();
      listener();
    };
  }

  /** Calls `listener` once if the client cancels. This is the only event of grpc-js's unary calls. */
  on(event: "cancelled", listener: (reason: string) => void): this {
    this.signal.addEventListener("abort", () => listener(event), { once: true });
    return this;
  }

  /** Runs the handler. */
  start(): void {
    if (this.isEnded) return;
    this.#isHandlerRunning = true;
    this.run(() => this.route.handler(this, this.#respond));
    // A handler that throws does not respond: the call has ended.
    if (this.#isHandlerRunning && !this.isEnded) {
      this.#expectedBytes = this.host.expectResponse(this.getPath());
    }
  }

  override onDrain(): void {}

  /** Does nothing: the call's own time limit ends it. */
  override onShutdown(): void {}

  protected override get usesRequestAtOnce(): boolean {
    return !this.host.isHolding;
  }

  protected override get timeLimit(): DeadlineQueue {
    return this.host.environment.timeLimit;
  }

  protected override onRequest(request: unknown): void {
    if (this.#hasRequest) {
      throw new CallError(Status.UNIMPLEMENTED, "unary call has more than one request message");
    }
    this.#hasRequest = true;
    this.request = request;
  }

  protected override onHalfClose(): void {
    if (!this.#hasRequest) {
      this.sendStatus({ code: Status.UNIMPLEMENTED, details: "unary call has no request message" });
    } else if (this.isBorrowing) {
      // Starts even if a frame of ours has since filled the output: the request is a view of the read buffer.
      this.start();
    } else {
      this.host.startOrHold(this);
    }
  }

  protected override onCancelled(): void {
    if (this.#isHandlerRunning) this.host.orphanedCalls++;
    // A response that comes after this is dropped.
    if (this.#expectedBytes !== undefined) this.host.expectNoResponse(this.#expectedBytes);
    this.#expectedBytes = undefined;
    this.#whenCancelled?.();
  }

  readonly #respond = (error: unknown, value?: unknown, trailer?: Metadata | null): void => {
    if (!this.#isHandlerRunning) return;
    this.#isHandlerRunning = false;
    if (this.cancelled) this.host.orphanedCalls--;
    else this.respond(error, value, trailer);
    if (this.#expectedBytes !== undefined) {
      this.host.responseReady(this.getPath(), this.#expectedBytes, this.responseBytes);
      this.#expectedBytes = undefined;
    }
  };
}
