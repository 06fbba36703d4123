import { CallError } from "../grpc/call_error.ts";
import type { Metadata } from "../metadata.ts";
import type { UnaryCall } from "../service.ts";
import { Status } from "../status.ts";
import { CallCore } from "./call_core.ts";
import type { TimeLimit } from "./time_limit.ts";

/** A call with one request and one response; also what its handler sees. */
export class UnaryServerCall extends CallCore implements UnaryCall<unknown> {
  request: unknown = undefined;
  #hasRequest = false;
  #isHandlerRunning = false;
  /** What the answer is expected to hold, while the handler takes longer than a turn. */
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

  /** Calls `listener` once, should the client cancel; the one event of grpc-js's unary calls. */
  on(event: "cancelled", listener: (reason: string) => void): this {
    this.signal.addEventListener("abort", () => listener(event), { once: true });
    return this;
  }

  /** Runs the handler. */
  start(): void {
    if (this.isEnded) return;
    this.#isHandlerRunning = true;
    this.run(() => this.plan.handler(this, this.#respond));
    // A handler that has thrown answers no more.
    if (this.#isHandlerRunning && !this.isEnded) {
      this.#expectedBytes = this.session.expectAnswer(this.getPath());
    }
  }

  override onDrain(): void {}

  /** Its own time limit ends it. */
  override onShutdown(): void {}

  protected override get usesRequestAtOnce(): boolean {
    return !this.session.isHolding;
  }

  protected override get timeLimit(): TimeLimit {
    return this.session.environment.timeLimit;
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
      // Also where a frame of ours that came between has made it one that should wait.
      this.start();
    } else {
      this.session.startOrHold(this);
    }
  }

  protected override onCancelled(): void {
    if (this.#isHandlerRunning) this.session.orphanedCalls++;
    // What the handler still brings is dropped at once.
    if (this.#expectedBytes !== undefined) this.session.expectNoAnswer(this.#expectedBytes);
    this.#expectedBytes = undefined;
    this.#whenCancelled?.();
  }

  readonly #respond = (error: unknown, value?: unknown, trailer?: Metadata | null): void => {
    if (!this.#isHandlerRunning) return;
    this.#isHandlerRunning = false;
    if (this.cancelled) this.session.orphanedCalls--;
    else this.answer(error, value, trailer);
    if (this.#expectedBytes !== undefined) {
      this.session.answered(this.getPath(), this.#expectedBytes, this.answerBytes);
      this.#expectedBytes = undefined;
    }
  };
}
