/** The time as a transport needs it; `core/clock.ts` has this shape. */
export interface TransportClock {
  /** Milliseconds since the Unix epoch, as an integer. */
  now(): number;
  /** Calls `callback` once, `delayMs` from now. A background timer does not keep the process alive. */
  setTimer(callback: () => void, delayMs: number, kind?: "foreground" | "background"): TransportTimer;
}

/** A timer that has been set. */
export interface TransportTimer {
  /** Stops the timer; harmless once it has fired. */
  cancel(): void;
}
