import type { TransportTimers } from "./options.ts";

/** Timers and the time; `core/clock.ts` has this shape. */
export interface TransportClock extends TransportTimers {
  /** Milliseconds since the Unix epoch, as an integer. */
  now(): number;
  /** Calls `callback` once, `delayMs` from now. A background timer does not keep the process alive. */
  setTimer(callback: () => void, delayMs: number, kind?: "foreground" | "background"): TransportTimer;
}

/** A timer that has been set. */
export type TransportTimer = ReturnType<TransportTimers["setTimer"]>;
