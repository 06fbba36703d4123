import type { Clock } from "../../core/clock.ts";
import { type Place, TimeLimit, type TimeLimited } from "./time_limit.ts";

/** A request has to bring something within each such time, or its client is taken for gone. */
const PROGRESS_MS = 10_000;

/** A request that is still arriving. */
export interface Uploading {
  /** Octets of its body so far. */
  readonly receivedBytes: number;
  /** Whether the server does not let its client send on. */
  readonly isKeptWaiting: boolean;
  /** Called once, when its time is up; `details` says which. */
  onUploadTimeUp(details: string): void;
}

/** Bounds how long requests take to arrive: in all, by their client's deadline, and without any progress. */
export class UploadLimit implements Disposable {
  readonly timeoutMs: number;
  readonly #clock: Clock;
  readonly #steps: TimeLimit;

  constructor(timeoutMs: number, clock: Clock) {
    this.timeoutMs = timeoutMs;
    this.#clock = clock;
    this.#steps = new TimeLimit(Math.min(timeoutMs, PROGRESS_MS), clock);
  }

  /** Watches a request from now on, until it is complete and leaves. */
  enter(request: Uploading, deadlineMs: number): Upload {
    return new Upload(request, {
      deadlineMs,
      timeoutMs: this.timeoutMs,
      clock: this.#clock,
      steps: this.#steps,
    });
  }

  [Symbol.dispose](): void {
    this.#steps[Symbol.dispose]();
  }
}

interface UploadOptions {
  readonly deadlineMs: number;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly steps: TimeLimit;
}

/** The time of one request. It is looked at step by step, so that a clock that is set does not stretch it. */
export class Upload implements TimeLimited {
  readonly #request: Uploading;
  readonly #options: UploadOptions;
  #leftMs: number;
  #stepMs = 0;
  #receivedBytes = 0;
  #place!: Place;

  constructor(request: Uploading, options: UploadOptions) {
    this.#request = request;
    this.#options = options;
    this.#leftMs = options.timeoutMs;
    this.#nextStep();
  }

  leave(): void {
    this.#place.leave();
  }

  onTimeUp(): void {
    const { deadlineMs, timeoutMs } = this.#options;
    this.#leftMs -= this.#stepMs;
    if (this.#place.dueMs === deadlineMs) {
      this.#request.onUploadTimeUp("Deadline exceeded");
    } else if (this.#leftMs <= 0) {
      this.#request.onUploadTimeUp(
        `Cannot receive the request within ${timeoutMs} ms, the server's limit for uploads`,
      );
    } else if (this.#request.receivedBytes === this.#receivedBytes && !this.#request.isKeptWaiting) {
      this.#request.onUploadTimeUp(
        `Cannot receive the request: no octet of it arrived for ${this.#stepMs} ms`,
      );
    } else this.#nextStep();
  }

  #nextStep(): void {
    const { clock, deadlineMs, steps } = this.#options;
    this.#receivedBytes = this.#request.receivedBytes;
    this.#stepMs = Math.min(this.#leftMs, steps.limitMs);
    this.#place = steps.enter(this, Math.min(deadlineMs, clock.now() + this.#stepMs));
  }
}
