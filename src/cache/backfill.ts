import type { Clock } from "../core/clock.ts";
import type { Entry } from "../core/entry.ts";
import type { CacheKey } from "../core/key.ts";
import type { Fence } from "./fences.ts";

/** An entry to copy into a remote tier. */
export interface LeasedCopy<V> {
  readonly entry: Entry<V>;
  /** The remote tier's permission to fill the key. */
  readonly lease: string;
  readonly fence: Fence;
}

interface Job<V> {
  readonly key: CacheKey;
  readonly copy: LeasedCopy<V>;
  readonly offeredAtMs: number;
}

/**
 * How many copies are under way at once. Stores batch them, and fewer cannot keep up with reads at full speed: of 46,000
 * reads of MySQL in a second, 16 at once left more than half uncopied.
 */
export const CONCURRENT_FILLS = 64;

/** A copy that has waited longer is dropped: its lease has run out or is about to. */
export const MAX_WAIT_MS = 10_000;

/**
 * Copies entries into a remote tier, in the background of the reads that found them.
 *
 * The queue is bounded. When the tier is slower than the reads, further copies are dropped: a missing copy costs one more
 * read below, and a queue without bound costs the process.
 */
export class Backfill<V> {
  readonly #fill: (key: CacheKey, copy: LeasedCopy<V>) => Promise<void>;
  readonly #limit: number;
  readonly #clock: Clock;
  readonly #queue: Job<V>[] = [];
  #running = 0;
  #idle = Promise.withResolvers<void>();

  /** `fill` must not reject. `limit` is how many copies may wait. */
  constructor(fill: (key: CacheKey, copy: LeasedCopy<V>) => Promise<void>, limit: number, clock: Clock) {
    this.#fill = fill;
    this.#limit = limit;
    this.#clock = clock;
    this.#idle.resolve();
  }

  /** Takes the copy and its fence over; false when the queue is full, and the fence is then still the caller's. */
  offer(key: CacheKey, copy: LeasedCopy<V>): boolean {
    if (this.#queue.length >= this.#limit) return false;
    if (this.#running === 0) this.#idle = Promise.withResolvers();
    this.#queue.push({ key, copy, offeredAtMs: this.#clock.now() });
    if (this.#running < CONCURRENT_FILLS) this.#work();
    return true;
  }

  /** Resolves once no copy is waiting or under way. */
  idle(): Promise<void> {
    return this.#idle.promise;
  }

  async #work(): Promise<void> {
    this.#running++;
    for (let job = this.#queue.shift(); job !== undefined; job = this.#queue.shift()) {
      using fence = job.copy.fence;
      const waitedMs = this.#clock.now() - job.offeredAtMs;
      if (fence.holds && waitedMs <= MAX_WAIT_MS) await this.#fill(job.key, job.copy);
    }
    if (--this.#running === 0) this.#idle.resolve();
  }
}
