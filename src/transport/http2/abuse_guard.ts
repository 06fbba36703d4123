import { ConnectionError, ErrorCode } from "./errors.ts";
import type { Http2Limits } from "./limits.ts";
import { TokenBucket } from "./token_bucket.ts";

/** Answers that a client that updates its windows after every DATA frame sends: one a stream, one overall. */
const WINDOW_UPDATES_PER_DATA = 2;

/** The budgets of one connection for frames that cost more to us than to the client. See {@link Http2Limits}. */
export class AbuseGuard {
  readonly #oddFrames: TokenBucket;
  readonly #tinyDataFrames: TokenBucket;
  readonly #windowUpdates: TokenBucket;

  constructor(limits: Http2Limits, now: () => number) {
    this.#oddFrames = new TokenBucket(limits.oddFrames, now);
    this.#tinyDataFrames = new TokenBucket(limits.tinyDataFrames, now);
    this.#windowUpdates = new TokenBucket(limits.windowUpdateFrames, now);
  }

  /** @throws {ConnectionError} when there were too many; `what` names the frames in its text. */
  oddFrame(what: string): void {
    if (!this.#oddFrames.take()) throw calm(what);
  }

  /** @throws {ConnectionError} */
  tinyData(): void {
    if (!this.#tinyDataFrames.take()) throw calm("tiny DATA frames");
  }

  /** @throws {ConnectionError} */
  windowUpdate(): void {
    if (!this.#windowUpdates.take()) throw calm("WINDOW_UPDATE frames");
  }

  /** A message of a request is whole: its DATA frames were worth it. */
  messageReceived(): void {
    this.#tinyDataFrames.pay(1);
  }

  /** A request has begun: clients open its window then. */
  requestReceived(): void {
    this.#windowUpdates.pay(WINDOW_UPDATES_PER_DATA);
  }

  /** A response has ended. Its client may reset the call in the same moment, as both do at a deadline. */
  responseEnded(): void {
    this.#oddFrames.pay(1);
  }

  dataSent(): void {
    this.#windowUpdates.pay(WINDOW_UPDATES_PER_DATA);
    this.#oddFrames.pay(1);
  }
}

/** grpc clients that get `too_many_pings` double their keepalive time. Source: grpc proposal A8. */
function calm(what: string): ConnectionError {
  return new ConnectionError(
    ErrorCode.ENHANCE_YOUR_CALM,
    what === "PING frames" ? "too_many_pings" : `too many ${what}`,
  );
}
