import { ErrorCode } from "./errors.ts";
import type { Http2Limits } from "./limits.ts";

/** The maximum age of a connection, and the keepalive of a silent one. */
export interface ConnectionAge {
  /** The age at which the client is asked to reconnect; Infinity for never. Spreads load over new replicas. */
  readonly maxAgeMs: number;
  /** Time for calls in flight after that. */
  readonly maxAgeGraceMs: number;
  /** The silence after which a PING checks that the client is there. */
  readonly keepaliveTimeMs: number;
  /** Time for its acknowledgment. */
  readonly keepaliveTimeoutMs: number;
}

/** grpc-go's server defaults. Source: gRPC proposals A8 and A9. */
export const DEFAULT_CONNECTION_AGE: ConnectionAge = Object.freeze({
  maxAgeMs: Infinity,
  maxAgeGraceMs: 60_000,
  keepaliveTimeMs: 2 * 60 * 60_000,
  keepaliveTimeoutMs: 20_000,
});

/** The share by which a maximum age varies. Source: gRPC proposal A9. */
const AGE_JITTER = 0.1;

/**
 * Varies the maximum age by up to a tenth, so that clients that connected together after a restart do not reconnect
 * together. `chance` is in [0, 1).
 */
export function spreadAge(age: ConnectionAge, chance: number): ConnectionAge {
  return { ...age, maxAgeMs: age.maxAgeMs * (1 + AGE_JITTER * (2 * chance - 1)) };
}

/** The state of a connection at a check. Counters only grow. */
export interface ConnectionReading {
  readonly isReady: boolean;
  readonly framesRead: number;
  readonly isInsideFrame: boolean;
  readonly openStreams: number;
  /** The highest stream identifier: it shows calls that began and ended between two checks. */
  readonly lastStreamId: number;
  readonly dataFramesSent: number;
  readonly queuedBytes: number;
  readonly isDraining: boolean;
  /** How long output may wait while not a single octet is taken. */
  readonly stalledOutputTimeoutMs: number;
}

/** The result of a check. */
export type WatchdogVerdict =
  | { readonly action: "none" | "ping" | "drain" | "announce" }
  | { readonly action: "fail"; readonly code: ErrorCode; readonly reason: string };

/** The longest time between the two GOAWAYs of a drain, if the client does not answer the PING. */
const DRAIN_ANNOUNCEMENT_MS = 1_000;

const NOTHING: WatchdogVerdict = { action: "none" };

/** Decides what to do about a connection as time passes. One periodic check replaces timers of each connection. */
export class Watchdog {
  readonly #limits: Http2Limits;
  readonly #age: ConnectionAge;
  readonly #openedAtMs: number;
  #framesRead = 0;
  #lastFrameAtMs: number;
  #lastStreamId = 0;
  #dataFramesSent = 0;
  #lastDataAtMs: number;
  #lastBusyAtMs: number;
  #pingedAtMs = Infinity;
  #drainingSinceMs = Infinity;

  constructor(limits: Http2Limits, age: ConnectionAge, nowMs: number) {
    this.#limits = limits;
    this.#age = age;
    this.#openedAtMs = nowMs;
    this.#lastFrameAtMs = nowMs;
    this.#lastDataAtMs = nowMs;
    this.#lastBusyAtMs = nowMs;
  }

  check(nowMs: number, reading: ConnectionReading): WatchdogVerdict {
    this.#observe(nowMs, reading);
    if (!reading.isReady) {
      return nowMs - this.#openedAtMs < this.#limits.prefaceTimeoutMs
        ? NOTHING
        : fail(ErrorCode.SETTINGS_TIMEOUT, "no preface and SETTINGS in time");
    }
    if (reading.isInsideFrame && nowMs - this.#lastFrameAtMs >= this.#limits.partialFrameTimeoutMs) {
      return fail(ErrorCode.ENHANCE_YOUR_CALM, "frame not complete in time");
    }
    if (reading.queuedBytes > 0 && nowMs - this.#lastDataAtMs >= reading.stalledOutputTimeoutMs) {
      return fail(ErrorCode.ENHANCE_YOUR_CALM, "output not read in time");
    }
    return reading.isDraining ? this.#checkDrain(nowMs) : this.#checkLife(nowMs);
  }

  #observe(nowMs: number, reading: ConnectionReading): void {
    if (reading.framesRead !== this.#framesRead) {
      this.#framesRead = reading.framesRead;
      this.#lastFrameAtMs = nowMs;
      this.#pingedAtMs = Infinity;
    }
    if (reading.openStreams > 0 || reading.lastStreamId !== this.#lastStreamId) {
      this.#lastStreamId = reading.lastStreamId;
      this.#lastBusyAtMs = nowMs;
    }
    if (reading.dataFramesSent !== this.#dataFramesSent || reading.queuedBytes === 0) {
      this.#dataFramesSent = reading.dataFramesSent;
      this.#lastDataAtMs = nowMs;
    }
    if (reading.isDraining) this.#drainingSinceMs = Math.min(this.#drainingSinceMs, nowMs);
  }

  #checkDrain(nowMs: number): WatchdogVerdict {
    const drainingMs = nowMs - this.#drainingSinceMs;
    if (drainingMs >= this.#age.maxAgeGraceMs && this.#age.maxAgeMs !== Infinity) {
      return fail(ErrorCode.NO_ERROR, "max_age");
    }
    return drainingMs >= DRAIN_ANNOUNCEMENT_MS ? { action: "announce" } : NOTHING;
  }

  #checkLife(nowMs: number): WatchdogVerdict {
    if (nowMs - this.#openedAtMs >= this.#age.maxAgeMs) return { action: "drain" };
    if (nowMs - this.#lastBusyAtMs >= this.#limits.idleTimeoutMs) return { action: "drain" };
    if (nowMs - this.#pingedAtMs >= this.#age.keepaliveTimeoutMs) {
      return fail(ErrorCode.NO_ERROR, "keepalive PING not answered in time");
    }
    if (this.#pingedAtMs === Infinity && nowMs - this.#lastFrameAtMs >= this.#age.keepaliveTimeMs) {
      this.#pingedAtMs = nowMs;
      return { action: "ping" };
    }
    return NOTHING;
  }
}

function fail(code: ErrorCode, reason: string): WatchdogVerdict {
  return { action: "fail", code, reason };
}
