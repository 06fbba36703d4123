import type { Clock } from "../../core/clock.ts";

/** Sends TIME on the present connection at once; resolves to its reply. */
export type TimeCommand = () => Promise<unknown>;

/** One reading of Redis's clock. */
interface Sample {
  /** Redis's time, in ms since the Unix epoch, at some instant between the two others. */
  readonly redisMs: number;
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
}

/** How often Redis is asked for its time. */
export const TIME_INTERVAL_MS = 1000;

/** A sample is kept for this long, then replaced by any other. */
const MAX_AGE_MS = 10_000;

/** How much two clocks may drift apart, as a share of the time: ntpd corrects each by 500 millionths at most. */
const MAX_DRIFT = 0.001;

/**
 * Estimates the clock of one connection's server. The estimate is never later than that clock.
 *
 *     sent at t0 ------- executed, Redis's time is T ------- received at t1
 *
 *     at t1 Redis's time is at least T, and at most T + t1 - t0
 *     at t  Redis's time is at least T + t - t1
 *
 * So time t of this process is T + t - t1 on Redis's clock, or a little later: anything Redis does before T + t - t1 is
 * done by t. Of several samples, the one with the latest estimate counts, mostly that of the shortest round trip. If
 * the newest sample shows that Redis's clock cannot be that late, the clock was set back, and the newest counts.
 *
 * One gap remains: if Redis's clock is set back between two samples, or stops with its machine, a change may be executed
 * too late by that much until the next sample.
 */
export class RedisTime {
  readonly #clock: Clock;
  #sample: Sample | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The earliest Redis time that a monotonic time can be, in whole ms; undefined before the first sample. */
  at(atMs: number): number | undefined {
    return this.#sample && Math.floor(earliest(this.#sample, atMs));
  }

  /** Takes the first sample of a server. Rejects if Redis refuses TIME or the connection is lost. */
  async learn(time: TimeCommand): Promise<void> {
    this.#sample = undefined;
    await this.check(time);
  }

  /** Takes another sample. Rejects as {@link learn} does. */
  async check(time: TimeCommand): Promise<void> {
    const sentAtMs = this.#clock.monotonic();
    const reply = await time();
    // A proxy may reply anything.
    if (Array.isArray(reply)) this.addSample(Number(reply[0]) * 1000 + Number(reply[1]) / 1000, sentAtMs);
  }

  /** Adds a reading from a reply that has just come, to a command sent at `sentAtMs` of the monotonic clock. */
  addSample(redisMs: number, sentAtMs: number): void {
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
