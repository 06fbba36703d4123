import { LRUCache } from "lru-cache";
import type { Clock } from "../core/clock.ts";
import { type Entry, isExpired } from "../core/entry.ts";
import type { CacheKey } from "../core/key.ts";
import type { LocalStore } from "../core/ports.ts";

/** How much an {@link LruMemory} may hold. */
export interface LruOptions {
  /** The most that all entries may take, keys and bookkeeping counted. */
  readonly maxBytes: number;
  /** An entry that takes more is not kept. */
  readonly maxEntryBytes: number;
}

/**
 * What an entry takes beside its key and value, in bytes: the entry object, its number, the value's typed array
 * with its buffer on both heaps, the key's header, the map's slot and the list's links. By the resident memory it
 * is 600 to 800 for 100,000 to 1,000,000 entries, most right after the map has doubled; tests/bench/memory.ts
 * measures it.
 */
export const ENTRY_OVERHEAD_BYTES = 800;

/**
 * This process's memory, bounded in bytes: the least recently used entries make room. There is no timer an
 * entry; an expired one is found out when it is asked for, or makes room like any other.
 *
 * One memory serves entries of several kinds, so that they compete for one budget; their keys never meet.
 */
export class LruMemory {
  readonly #cache: LRUCache<string, Entry<unknown>>;
  readonly #clock: Clock;

  constructor(options: LruOptions, clock: Clock) {
    this.#clock = clock;
    this.#cache = new LRUCache({ maxSize: options.maxBytes, maxEntrySize: options.maxEntryBytes });
  }

  /** The bytes that the entries take by the count that bounds them. */
  get usedBytes(): number {
    return this.#cache.calculatedSize;
  }

  /** How many entries there are, expired ones that nobody has asked for included. */
  get entryCount(): number {
    return this.#cache.size;
  }

  /** The part of the memory that holds one kind of entry. `bytesOf` says what a value takes. */
  store<V>(bytesOf: (value: V) => number): LocalStore<V> {
    const cache = this.#cache as LRUCache<string, Entry<V>>;
    const clock = this.#clock;
    return {
      get(key: CacheKey): Entry<V> | undefined {
        const entry = cache.get(key);
        if (entry === undefined || !isExpired(entry, clock.now())) return entry;
        cache.delete(key);
        return undefined;
      },
      set(key: CacheKey, entry: Entry<V>): void {
        cache.set(key, entry, { size: key.length + bytesOf(entry.value) + ENTRY_OVERHEAD_BYTES });
      },
      delete(key: CacheKey): void {
        cache.delete(key);
      },
      clear(): void {
        cache.clear();
      },
    };
  }
}
