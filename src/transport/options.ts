import type { Clock } from "../core/clock.ts";
import type { Metadata } from "./metadata.ts";
import type { StatusCode } from "./status.ts";

/** What every transport can be told. */
export interface TransportOptions {
  /**
   * The longest a call may take once its request is complete, in ms, whatever deadline its client has set:
   * DEADLINE_EXCEEDED after it.
   */
  readonly callTimeoutMs: number;
  /** A larger request is answered with RESOURCE_EXHAUSTED. */
  readonly maxRequestBytes: number;
  readonly clock: Clock;
  /** Trailers for an error that nobody has given any, such as one of the transport's own. */
  readonly describeError?: (code: StatusCode, details: string) => Metadata | undefined;
}
