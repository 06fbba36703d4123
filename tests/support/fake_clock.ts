import type { Clock, Timer } from "../../src/core/clock.ts";

/** 2025-01-01T00:00:00Z, a whole second. */
const DEFAULT_START_MS = 1_735_689_600_000;

interface PendingTimer {
  readonly dueAtMs: number;
  readonly callback: () => void;
}

/** A clock that only a test moves. */
export class FakeClock implements Clock {
  #nowMs: number;
  readonly #startMs: number;
  /** In the order of setting, which breaks the tie between timers due at the same instant. */
  readonly #timers = new Set<PendingTimer>();

  constructor(startMs = DEFAULT_START_MS) {
    this.#nowMs = startMs;
    this.#startMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  /** Another number than {@link now}, so that a mistake between the two shows. */
  monotonic(): number {
    return this.#nowMs - this.#startMs;
  }

  monotonicOfTurn(): number {
    return this.monotonic();
  }

  setTimer(callback: () => void, delayMs: number, _kind: "foreground" | "background" = "foreground"): Timer {
    const timer: PendingTimer = { dueAtMs: this.#nowMs + Math.max(0, delayMs), callback };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  /** How many timers are set and have neither fired nor been cancelled. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /**
   * Moves the time on and fires the timers that fall due, earliest first, each at its own instant; also those
   * that a fired one sets within the span. Promises that the callbacks settle are not awaited.
   */
  advance(ms: number): void {
    const targetMs = this.#nowMs + ms;
    for (let next = this.#nextDue(targetMs); next !== undefined; next = this.#nextDue(targetMs)) {
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.dueAtMs);
      next.callback();
    }
    this.#nowMs = targetMs;
  }

  #nextDue(targetMs: number): PendingTimer | undefined {
    let earliest: PendingTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueAtMs <= targetMs && (earliest === undefined || timer.dueAtMs < earliest.dueAtMs)) {
        earliest = timer;
      }
    }
    return earliest;
  }
}
