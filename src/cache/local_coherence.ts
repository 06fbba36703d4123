import type { Clock } from "../core/clock.ts";
import type { Entry } from "../core/entry.ts";
import type { CacheKey } from "../core/key.ts";
import type { Invalidations, LocalStore } from "../core/ports.ts";

/** What is dropped from when something changes: a chain. */
export interface Invalidated {
  invalidate(key: CacheKey): void;
  invalidateAll(): void;
}

/**
 * How old the last confirmation may be. It bounds how stale memory gets when the line to Redis is dead and
 * nothing says so, or when this process was stopped for a while; the line is asked several times in this span.
 */
export const CONFIRMED_FOR_MS = 1000;

/**
 * Stands before local memory and lets it be used only while this process is told what others change.
 *
 *     open     told of changes: memory answers while the last confirmation is no older than CONFIRMED_FOR_MS
 *     closed   not told: nothing is put in; memory answers while the last confirmation is no older than maxStaleMs
 *
 * The interleaving that emptying it at {@link resume}, not only at {@link suspend}, guards against:
 *
 *     get(k)                   the line to Redis           another replica
 *                              lost: suspend()
 *     reads 1 in MySQL
 *                                                          sets k to 2; nobody here is told
 *                              back: resume()
 *     1 must not be put into memory: no further message about k will come
 */
export class LocalCoherence implements Invalidations {
  readonly #clock: Clock;
  readonly #maxStaleMs: number;
  readonly #invalidated: Invalidated[] = [];
  #isOpen = false;
  #confirmedAtMs = -Infinity;
  #servedForMs: number;

  /** `maxStaleMs`: how long an entry that was right when the line was lost may still be served; 0: not at all. */
  constructor(clock: Clock, maxStaleMs: number) {
    this.#clock = clock;
    this.#maxStaleMs = maxStaleMs;
    this.#servedForMs = maxStaleMs;
  }

  /** The store behind the coherence. */
  wrap<V>(store: LocalStore<V>): LocalStore<V> {
    return this.#guarded(store, (key) => this.#mayServe() ? store.get(key) : undefined);
  }

  /**
   * Like {@link wrap}, of a store that also remembers what is not there: while this process is not told of changes
   * only what `isThere` is served, or an outage would look like a miss.
   */
  wrapCopies<V extends { readonly isThere: boolean }>(store: LocalStore<V>): LocalStore<V> {
    return this.#guarded(store, (key) => {
      if (!this.#mayServe()) return undefined;
      const copy = store.get(key);
      return copy === undefined || copy.value.isThere || this.#isTold() ? copy : undefined;
    });
  }

  #guarded<V>(store: LocalStore<V>, get: LocalStore<V>["get"]): LocalStore<V> {
    return {
      get,
      set: (key: CacheKey, entry: Entry<V>): void => {
        if (this.#isOpen) store.set(key, entry);
        else store.delete(key);
      },
      delete: (key: CacheKey): void => store.delete(key),
      clear: (): void => store.clear(),
    };
  }

  /** From now on `chain`, which keeps entries in a guarded store, is told what changes. */
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

  #mayServe(): boolean {
    return this.#isConfirmedWithin(this.#servedForMs);
  }

  #isTold(): boolean {
    return this.#isOpen && this.#isConfirmedWithin(CONFIRMED_FOR_MS);
  }

  #isConfirmedWithin(ms: number): boolean {
    const ageMs = this.#clock.now() - this.#confirmedAtMs;
    // Less than 0: the machine's clock was set back, and the next confirmation says where it stands.
    return ageMs >= 0 && ageMs < ms;
  }
}
