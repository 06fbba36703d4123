/** The only file that reads the time, sets a timer or draws a random number; all others get a clock or a function. */

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
   * Milliseconds, with fractions, since an instant of this process. Never steps, not even when the machine's clock is
   * set: for durations and time-outs within this process.
   */
  monotonic(): number;
  /**
   * {@link monotonic} as of its first reading in this turn of the event loop: never later than now, never going back. It
   * reads the system once a turn, for work that begins in large numbers.
   */
  monotonicOfTurn(): number;
  /** Calls `callback` once, `delayMs` from now. A background timer does not keep the process alive. */
  setTimer(callback: () => void, delayMs: number, kind?: "foreground" | "background"): Timer;
}

/** The longest delay a JavaScript timer takes: a signed 32-bit number of milliseconds, 24.8 days. */
const MAX_TIMER_MS = 2 ** 31 - 1;

class SystemTimer implements Timer {
  readonly #id: ReturnType<typeof setTimeout>;

  constructor(callback: () => void, delayMs: number, kind: "foreground" | "background") {
    // Rounded up, because setTimeout drops a fraction and the timer would fire too early.
    this.#id = setTimeout(callback, Math.min(Math.ceil(delayMs), MAX_TIMER_MS));
    if (kind === "background") Deno.unrefTimer(this.#id);
  }

  cancel(): void {
    clearTimeout(this.#id);
  }
}

/** The reading of this turn; undefined before the first one. */
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

/** Resolves `delayMs` from now. */
export function pause(delayMs: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => clock.setTimer(resolve, delayMs));
}

/** Settles as `work` does, or resolves to undefined once `timeoutMs` have passed. */
export async function within<T>(timeoutMs: number, work: Promise<T>, clock: Clock): Promise<T | undefined> {
  const { promise: tooLate, resolve } = Promise.withResolvers<undefined>();
  const timer = clock.setTimer(() => resolve(undefined), timeoutMs);
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    timer.cancel();
  }
}

/** Random numbers in [0, 1), not for secrets. */
export function systemRandom(): number {
  return Math.random();
}
