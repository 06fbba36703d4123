import type { Clock } from "../../core/clock.ts";

/** Runs TIME on the present connection, at once; resolves to its reply. */
export type TimeCommand = () => Promise<unknown>;

/** What one answer has told. */
interface Sample {
  /** Redis's time, in ms since the Unix epoch, at some instant between the two others. */
  readonly redisMs: number;
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
}

/** How often Redis is asked for its time. */
export const TIME_INTERVAL_MS = 1000;

/** A better answer counts for this long, and then gives way to a worse one. */
const MAX_AGE_MS = 10_000;

/** How much two clocks may drift apart, as a share of the time: ntpd corrects each by 500 millionths at most. */
const MAX_DRIFT = 0.001;

/**
 * The time at the server of one connection, as far as this process can tell: never more than it is.
 *
 *     sent at t0 ------- executed, Redis's time is T ------- received at t1
 *
 *     at t1 Redis's time is at least T, and at most T + t1 - t0
 *     at t  Redis's time is at least T + t - t1
 *
 * So an instant t of this process is at T + t - t1 of Redis, or a little later, and what Redis does before T + t - t1 it
 * has done by t. Of several answers counts the one by which Redis's time is the latest, mostly that of the shortest
 * round trip; unless the last one shows that it cannot be so late: then Redis's clock has been set back.
 *
 * What is left is a clock of Redis that is set back, or stands still with its machine, between two answers: until the
 * next one, a change may be executed too late by so much.
 */
export class RedisTime {
  readonly #clock: Clock;
  #sample: Sample | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * The Redis time of an instant of the monotonic clock, in whole ms, as early as it can be; undefined while it has not
   * been told.
   */
  at(atMs: number): number | undefined {
    return this.#sample && Math.floor(earliest(this.#sample, atMs));
  }

  /** Forgets what another server has told, and asks. Rejects when that is refused, or the connection lost. */
  async learn(time: TimeCommand): Promise<void> {
    this.#sample = undefined;
    await this.check(time);
  }

  /** Asks once more. Rejects as {@link learn} does. */
  async check(time: TimeCommand): Promise<void> {
    const sentAtMs = this.#clock.monotonic();
    const reply = await time();
    // A proxy may answer anything.
    if (Array.isArray(reply)) this.heard(Number(reply[0]) * 1000 + Number(reply[1]) / 1000, sentAtMs);
  }

  /** Takes an answer that has just come, to something that was sent at `sentAtMs` of the monotonic clock. */
  heard(redisMs: number, sentAtMs: number): void {
    const receivedAtMs = this.#clock.monotonic();
    if (!Number.isFinite(redisMs)) return;
    const kept = this.#sample;
    const sample = { redisMs, sentAtMs, receivedAtMs };
    if (kept === undefined || receivedAtMs - kept.receivedAtMs > MAX_AGE_MS) this.#sample = sample;
    else {
      const keptMs = earliest(kept, receivedAtMs);
      const latestMs = redisMs + receivedAtMs - sentAtMs;
      if (redisMs >= keptMs || keptMs > latestMs) this.#sample = sample;
    }
  }
}

function earliest({ redisMs, receivedAtMs }: Sample, atMs: number): number {
  const sinceMs = atMs - receivedAtMs;
  return redisMs + sinceMs - Math.abs(sinceMs) * MAX_DRIFT;
}
