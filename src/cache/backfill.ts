import type { Entry } from "../core/entry.ts";
import type { CacheKey } from "../core/key.ts";
import type { Fence } from "./fences.ts";

interface Job<V> {
  readonly key: CacheKey;
  readonly entry: Entry<V>;
  readonly fence: Fence;
}

/** How many copies are under way at once; the store's client sends them in one batch. */
const CONCURRENT_FILLS = 16;

/**
 * Copies entries into a remote tier behind the reads that found them.
 *
 * The queue is bounded: when the tier is slower than the reads, what does not fit is dropped, because a copy
 * that is not made costs one more read below and a queue without bound costs the process.
 */
export class Backfill<V> {
  readonly #fill: (key: CacheKey, entry: Entry<V>) => Promise<void>;
  readonly #limit: number;
  readonly #queue: Job<V>[] = [];
  #running = 0;
  #idle = Promise.withResolvers<void>();

  /** `fill` must not reject. `limit` is how many copies may wait. */
  constructor(fill: (key: CacheKey, entry: Entry<V>) => Promise<void>, limit: number) {
    this.#fill = fill;
    this.#limit = limit;
    this.#idle.resolve();
  }

  /** Takes the entry and the fence over; false when the queue is full, and the fence is then still the caller's. */
  offer(key: CacheKey, entry: Entry<V>, fence: Fence): boolean {
    if (this.#queue.length >= this.#limit) return false;
    if (this.#running === 0) this.#idle = Promise.withResolvers();
    this.#queue.push({ key, entry, fence });
    if (this.#running < CONCURRENT_FILLS) this.#work();
    return true;
  }

  /** Resolves once nothing waits and nothing is under way. */
  idle(): Promise<void> {
    return this.#idle.promise;
  }

  async #work(): Promise<void> {
    this.#running++;
    for (let job = this.#queue.shift(); job !== undefined; job = this.#queue.shift()) {
      using fence = job.fence;
      if (fence.holds) await this.#fill(job.key, job.entry);
    }
    if (--this.#running === 0) this.#idle.resolve();
  }
}
