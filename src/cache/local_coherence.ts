import type { Clock } from "../core/clock.ts";
import { isExpired } from "../core/entry.ts";
import type { CacheKey } from "../core/key.ts";
import type { Invalidations } from "../core/ports.ts";
import { ABSENT, type LocalTier } from "./local_memory.ts";

/** What handles invalidations: a chain. */
export interface Invalidated {
  invalidate(key: CacheKey): void;
  invalidateAll(): void;
}

/**
 * How old the last confirmation may be. It bounds staleness when the connection to Redis is dead without being closed,
 * and when this process was suspended. Redis is pinged several times in this span.
 */
export const CONFIRMED_FOR_MS = 1000;

/**
 * Keeps local memory coherent: memory answers only while Redis reports what others change.
 *
 *     open     changes are reported: memory answers while the last confirmation is younger than CONFIRMED_FOR_MS
 *     closed   they are not: memory takes nothing in, and answers while that is younger than maxStaleMs
 *
 * Memory is emptied in {@link resume}, not only in {@link suspend}, because of this interleaving:
 *
 *     get(k)                   the connection to Redis     another replica
 *                              lost: suspend()
 *     reads 1 in MySQL
 *                                                          sets k to 2; this replica gets no message
 *                              back: resume()
 *     must not put 1 into memory: no further message about k will come
 */
export class LocalCoherence implements Invalidations {
  readonly #clock: Clock;
  readonly #maxStaleMs: number;
  readonly #invalidated: Invalidated[] = [];
  #isOpen = false;
  #confirmedAtMs = -Infinity;
  #servedForMs: number;

  /** `maxStaleMs`: how long memory may answer after the last confirmation; 0: not once the connection is lost. */
  constructor(clock: Clock, maxStaleMs: number) {
    this.#clock = clock;
    this.#maxStaleMs = maxStaleMs;
    this.#servedForMs = maxStaleMs;
  }

  /** The same memory, used only while that is safe. Remembered absence needs the open state: an outage is no miss. */
  wrap<V>(memory: LocalTier<V>): LocalTier<V> {
    return {
      get: (key, policy, renew) => {
        const ageMs = this.#clock.now() - this.#confirmedAtMs;
        // Negative when the machine's clock was set back; the next confirmation has the new time.
        if (ageMs < 0 || ageMs >= this.#servedForMs) return undefined;
        if (this.#isOpen && ageMs < CONFIRMED_FOR_MS) return memory.get(key, policy, renew);
        const found = memory.get(key, policy, renew);
        return found === undefined || found === ABSENT || isExpired(found, this.#clock) ? undefined : found;
      },
      keep: (key, entry, policy) => {
        if (this.#isOpen) memory.keep(key, entry, policy);
        else memory.delete(key);
      },
      keepAbsence: (key, expired, policy) => {
        if (this.#isOpen) memory.keepAbsence(key, expired, policy);
        else memory.delete(key);
      },
      delete: (key) => memory.delete(key),
      clear: () => memory.clear(),
    };
  }

  /** From now on `chain`, which uses a wrapped memory, gets the invalidations. */
  subscribe(chain: Invalidated): void {
    this.#invalidated.push(chain);
  }

  invalidate(key: CacheKey): void {
    for (const chain of this.#invalidated) chain.invalidate(key);
  }

  invalidateAll(): void {
    for (const chain of this.#invalidated) chain.invalidateAll();
  }

  confirm(atMs: number): void {
    this.#confirmedAtMs = atMs;
  }

  suspend(): void {
    this.#isOpen = false;
    this.#servedForMs = this.#maxStaleMs;
    if (this.#maxStaleMs === 0) this.invalidateAll();
  }

  resume(atMs: number): void {
    this.invalidateAll();
    this.#isOpen = true;
    this.#confirmedAtMs = atMs;
    this.#servedForMs = Math.max(CONFIRMED_FOR_MS, this.#maxStaleMs);
  }
}
