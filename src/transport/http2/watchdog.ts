import { ErrorCode } from "./errors.ts";
import type { Http2Limits } from "./limits.ts";

/** How long a connection may live, and how a silent one is probed. */
export interface ConnectionAge {
  /** From when on the client is asked to connect anew; Infinity for never. Spreads load over new replicas. */
  readonly maxAgeMs: number;
  /** What calls in flight get on top of that. */
  readonly maxAgeGraceMs: number;
  /** Silence after which a PING asks whether the client is still there. */
  readonly keepaliveTimeMs: number;
  /** For the answer. */
  readonly keepaliveTimeoutMs: number;
}

/** grpc-go's server defaults. Source: grpc proposals A8 and A9. */
export const DEFAULT_CONNECTION_AGE: ConnectionAge = Object.freeze({
  maxAgeMs: Infinity,
  maxAgeGraceMs: 60_000,
  keepaliveTimeMs: 2 * 60 * 60_000,
  keepaliveTimeoutMs: 20_000,
});

/** By how much of itself a maximum age is longer or shorter. Source: grpc proposal A9. */
const AGE_JITTER = 0.1;

/**
 * The age with its maximum moved by up to a tenth: what connected at once, after a restart, does not connect anew
 * at once. `chance` is in [0, 1).
 */
export function spreadAge(age: ConnectionAge, chance: number): ConnectionAge {
  return { ...age, maxAgeMs: age.maxAgeMs * (1 + AGE_JITTER * (2 * chance - 1)) };
}

/** What a connection looks like at the moment of a check. Counters only grow. */
export interface ConnectionReading {
  readonly isReady: boolean;
  readonly framesRead: number;
  readonly isInsideFrame: boolean;
  readonly openStreams: number;
  /** The highest stream identifier: calls that came and went between two checks change it. */
  readonly lastStreamId: number;
  readonly dataFramesSent: number;
  readonly queuedBytes: number;
  readonly isDraining: boolean;
  /** How long output may wait without a single octet being taken. */
  readonly stalledOutputTimeoutMs: number;
}

/** What a check asks for. */
export type WatchdogVerdict =
  | { readonly action: "none" | "ping" | "drain" | "announce" }
  | { readonly action: "fail"; readonly code: ErrorCode; readonly reason: string };

/** The longest time between the two GOAWAYs of a drain, when the client answers no PING. */
const DRAIN_ANNOUNCEMENT_MS = 1_000;

const NOTHING: WatchdogVerdict = { action: "none" };

/** Decides what time asks of a connection; looked at every so often, so that no connection has timers. */
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
