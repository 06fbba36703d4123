/** The only file that reads the time, sets a timer or throws dice; everybody else is handed what it needs. */

/** A timer that has been set and may still be cancelled. */
export interface Timer {
  /** Stops the timer; harmless once it has fired. */
  cancel(): void;
}

/** Time and timers, handed in so that tests can own them. */
export interface Clock {
  /** Milliseconds since the Unix epoch, as an integer. May step when the machine's clock is set. */
  now(): number;
  /**
   * Milliseconds, with fractions, since some instant of this process's own. Never steps, also when the machine's clock
   * is set: for what is measured, or bounded, within this process.
   */
  monotonic(): number;
  /**
   * {@link monotonic} as it was when this turn of the event loop first asked for it: never later than now, never
   * earlier than what it was before. For what begins in large numbers: the system is asked once a turn.
   */
  monotonicOfTurn(): number;
  /**
   * Calls `callback` once, `delayMs` from now. A background timer does not keep the process alive by
   * itself.
   */
  setTimer(callback: () => void, delayMs: number, kind?: "foreground" | "background"): Timer;
}

/** The longest delay a JavaScript timer takes: a signed 32-bit number of milliseconds, 24.8 days. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

class SystemTimer implements Timer {
  readonly #id: ReturnType<typeof setTimeout>;

  constructor(callback: () => void, delayMs: number, kind: "foreground" | "background") {
    // A fraction would be cut off, and the timer fire too early.
    this.#id = setTimeout(callback, Math.min(Math.ceil(delayMs), MAX_TIMER_MS));
    if (kind === "background") Deno.unrefTimer(this.#id);
  }

  cancel(): void {
    clearTimeout(this.#id);
  }
}

/** What the present turn has been told; undefined before it has asked. */
let turnMs: number | undefined;

function endTurn(): void {
  turnMs = undefined;
}

function monotonicOfTurn(): number {
  if (turnMs === undefined) {
    turnMs = performance.now();
    queueMicrotask(endTurn);
  }
  return turnMs;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  monotonicOfTurn,
  setTimer: (callback, delayMs, kind = "foreground") => new SystemTimer(callback, delayMs, kind),
};

/** The machine's dice: numbers in [0, 1), not fit for secrets. */
export function systemRandom(): number {
  return Math.random();
}
