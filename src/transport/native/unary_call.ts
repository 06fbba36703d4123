import { CallError } from "../grpc/call_error.ts";
import { statusFromError } from "../grpc/error_status.ts";
import type { Metadata } from "../metadata.ts";
import type { UnaryCall } from "../service.ts";
import { Status } from "../status.ts";
import { CallCore } from "./call_core.ts";

/** A call with one request and one response; also what its handler sees. */
export class UnaryServerCall extends CallCore implements UnaryCall<unknown> {
  request: unknown = undefined;
  #hasRequest = false;
  #isHandlerRunning = false;

  /** Calls `listener` once, should the client cancel; the one event of grpc-js's unary calls. */
  on(event: "cancelled", listener: (reason: string) => void): this {
    this.signal.addEventListener("abort", () => listener(event), { once: true });
    return this;
  }

  /** Runs the handler. */
  start(): void {
    if (this.isEnded) return;
    this.#isHandlerRunning = true;
    this.run(() =>
      this.plan.handler(this, (error: unknown, value?: unknown, trailer?: Metadata) => {
        this.#respond(error, value, trailer);
      })
    );
  }

  override onDrain(): void {}

  protected override get timeLimitMs(): number {
    return this.session.environment.callTimeoutMs;
  }

  protected override onRequest(request: unknown): void {
    if (this.#hasRequest) {
      throw new CallError(Status.INTERNAL, "unary call has more than one request message");
    }
    this.#hasRequest = true;
    this.request = request;
  }

  protected override onHalfClose(): void {
    if (this.#hasRequest) this.session.startOrHold(this);
    else this.sendStatus({ code: Status.INTERNAL, details: "unary call has no request message" });
  }

  protected override onCancelled(): void {
    if (this.#isHandlerRunning) this.session.orphanedCalls++;
  }

  #respond(error: unknown, value: unknown, trailer: Metadata | undefined): void {
    if (!this.#isHandlerRunning) return;
    this.#isHandlerRunning = false;
    if (this.cancelled) {
      this.session.orphanedCalls--;
    } else if (error) {
      this.sendStatus(statusFromError(error, trailer));
    } else {
      this.sendMessage(value);
      this.sendStatus(trailer === undefined ? OK : { ...OK, metadata: trailer });
    }
  }
}

const OK = { code: Status.OK, details: "" } as const;
