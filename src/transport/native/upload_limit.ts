import type { Clock } from "../../core/clock.ts";
import { type Deadline, DeadlineQueue, type TimeBounded } from "../../core/deadline_queue.ts";

/** A request must bring at least one octet within each such time. */
const PROGRESS_MS = 10_000;

/** A request that is still arriving. */
export interface Uploading {
  /** Octets of its body so far. */
  readonly receivedBytes: number;
  /** Whether the server itself makes its client wait. */
  readonly isKeptWaiting: boolean;
  /** Called once, when a limit is reached; `details` names it. */
  onUploadTimeUp(details: string): void;
}

/** Bounds how long requests take to arrive: in all, by their client's deadline, and without progress. */
export class UploadLimit implements Disposable {
  readonly timeoutMs: number;
  readonly #clock: Clock;
  readonly #steps: DeadlineQueue;

  constructor(timeoutMs: number, clock: Clock) {
    this.timeoutMs = timeoutMs;
    this.#clock = clock;
    this.#steps = new DeadlineQueue(clock, Math.min(timeoutMs, PROGRESS_MS));
  }

  /** Watches a request from now on, until it is complete and cancels. */
  watch(request: Uploading, deadlineMs: number): Upload {
    return new Upload(request, this, this.#steps, deadlineMs - this.#clock.now());
  }

  [Symbol.dispose](): void {
    this.#steps[Symbol.dispose]();
  }
}

/** The time of one request, checked step by step for progress. */
export class Upload implements TimeBounded {
  readonly #request: Uploading;
  readonly #steps: DeadlineQueue;
  readonly #details: string;
  #leftMs: number;
  #stepMs!: number;
  #receivedBytes!: number;
  #deadline!: Deadline;

  constructor(request: Uploading, { timeoutMs }: UploadLimit, steps: DeadlineQueue, clientLeftMs: number) {
    this.#request = request;
    this.#steps = steps;
    this.#leftMs = Math.min(clientLeftMs, timeoutMs);
    this.#details = clientLeftMs <= timeoutMs
      ? "Deadline exceeded"
      : `Cannot receive the request within ${timeoutMs} ms, the server's limit for uploads`;
    this.#nextStep();
  }

  cancel(): void {
    this.#deadline.cancel();
  }

  onTimeUp(): void {
    this.#leftMs -= this.#stepMs;
    if (this.#leftMs <= 0) {
      this.#request.onUploadTimeUp(this.#details);
    } else if (this.#request.receivedBytes === this.#receivedBytes && !this.#request.isKeptWaiting) {
      this.#request.onUploadTimeUp(
        `Cannot receive the request: no octet of it arrived for ${this.#stepMs} ms`,
      );
    } else this.#nextStep();
  }

  #nextStep(): void {
    this.#receivedBytes = this.#request.receivedBytes;
    this.#stepMs = Math.min(this.#leftMs, this.#steps.timeoutMs);
    this.#deadline = this.#steps.add(this, this.#stepMs);
  }
}
