import { ConnectionError, ErrorCode } from "./errors.ts";
import type { Http2Limits } from "./limits.ts";
import { TokenBucket } from "./token_bucket.ts";

/** A client that updates its windows after every DATA frame sends two: one for the stream, one for the connection. */
const WINDOW_UPDATES_PER_DATA = 2;

/** One connection's budgets for frames that cost us more than the client. See {@link Http2Limits}. */
export class AbuseGuard {
  readonly #controlFrames: TokenBucket;
  readonly #tinyDataFrames: TokenBucket;
  readonly #windowUpdates: TokenBucket;

  constructor(limits: Http2Limits, now: () => number) {
    this.#controlFrames = new TokenBucket(limits.controlFrames, now);
    this.#tinyDataFrames = new TokenBucket(limits.tinyDataFrames, now);
    this.#windowUpdates = new TokenBucket(limits.windowUpdateFrames, now);
  }

  /** Counts a frame of {@link Http2Limits.controlFrames}, which `what` names. @throws {ConnectionError} when there are too many. */
  controlFrame(what: string): void {
    if (!this.#controlFrames.take()) throw calm(what);
  }

  /** @throws {ConnectionError} */
  tinyData(): void {
    if (!this.#tinyDataFrames.take()) throw calm("tiny DATA frames");
  }

  /** @throws {ConnectionError} */
  windowUpdate(): void {
    if (!this.#windowUpdates.take()) throw calm("WINDOW_UPDATE frames");
  }

  /** A request message is complete: it pays for its DATA frames. */
  messageReceived(): void {
    this.#tinyDataFrames.refund(1);
  }

  /** A request has begun: clients then open its window. */
  requestReceived(): void {
    this.#windowUpdates.refund(WINDOW_UPDATES_PER_DATA);
  }

  /** A response has ended. At a deadline, the client may reset the call at the same moment. */
  responseEnded(): void {
    this.#controlFrames.refund(1);
  }

  dataSent(): void {
    this.#windowUpdates.refund(WINDOW_UPDATES_PER_DATA);
    this.#controlFrames.refund(1);
  }
}

/** gRPC clients double their keepalive time on `too_many_pings`. Source: gRPC proposal A8. */
function calm(what: string): ConnectionError {
  return new ConnectionError(
    ErrorCode.ENHANCE_YOUR_CALM,
    what === "PING frames" ? "too_many_pings" : `too many ${what}`,
  );
}
