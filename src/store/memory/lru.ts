import { LRUCache } from "lru-cache";
import type { Clock } from "../../core/clock.ts";
import { type Entry, isExpired } from "../../core/entry.ts";
import type { CacheKey } from "../../core/key.ts";
import type { LocalStore } from "../../core/ports.ts";
import { UNVERSIONED } from "../../core/version.ts";
import { KEPT_BYTES, type KeptValues, textBytes } from "./kept_values.ts";
import { MAX_RECORD_VALUE_BYTES } from "./slab.ts";
import { recordBytes, SlabHeap } from "./slab_heap.ts";

/** The bounds of an {@link LruMemory}. */
export interface LruOptions {
  /** The most bytes that all entries may take, keys and bookkeeping included. */
  readonly maxBytes: number;
  /** A larger entry is not kept. */
  readonly maxEntryBytes: number;
}

/**
 * Bytes that an entry takes beside its key's characters and its value: the key's header and padding up to 23, the map 28
 * to 112 (112 after it has doubled under deletes), the library's five lists 40 to 60, a slot 8 to 16.
 * tests/bench/memory.ts measures the resident memory.
 */
const INDEX_BYTES = 210;

/** An entry object, its numbers and its version. */
const OBJECT_BYTES = 120;

/** Bytes that an entry object takes beside its key's characters and its value. */
export const ENTRY_OVERHEAD_BYTES = INDEX_BYTES + OBJECT_BYTES;

/**
 * The most entries. A Map throws beyond 2^24 and counts entries deleted since it last grew, so only half of that can be
 * sustained for ever.
 */
const MAX_ENTRIES = 2 ** 23;

/** The value of a key in the map: the entry, or its slot in the {@link SlabHeap}. */
type Kept = Entry<unknown> | number;

/**
 * This process's memory, bounded in bytes: it evicts the least recently used entries. No entry has a timer; an expired
 * one leaves when it is read or evicted.
 *
 * Entries of all types share one budget; their keys are distinct.
 */
export class LruMemory {
  readonly #maxBytes: number;
  readonly #maxEntryBytes: number;
  readonly #clock: Clock;
  #heap = new SlabHeap();
  #cache: LRUCache<string, Kept>;

  constructor(options: LruOptions, clock: Clock) {
    this.#maxBytes = options.maxBytes;
    this.#maxEntryBytes = Math.min(options.maxEntryBytes, options.maxBytes);
    this.#clock = clock;
    this.#cache = this.#cacheOver(this.#heap);
  }

  /** The bytes that count towards the bound. */
  get usedBytes(): number {
    return this.#cache.calculatedSize;
  }

  /** The number of entries, including expired ones that were not read since. */
  get entryCount(): number {
    return this.#cache.size;
  }

  /** A store of entry objects of one type. {@link byteStore} is the one for bytes. */
  store<V>(values: KeptValues<V>): LocalStore<V> {
    return {
      // Only set() of the same type writes under this key.
      get: (key: CacheKey) => this.#get(key) as Entry<V> | undefined,
      set: (key: CacheKey, entry: Entry<V>) => this.#setObject(key, entry, values),
      delete: (key: CacheKey) => this.#delete(key),
      clear: () => this.#clear(),
    };
  }

  /** A store of bytes: copies small values into shared slabs and keeps large ones as objects. */
  byteStore(): LocalStore<Uint8Array> {
    return {
      ...this.store(KEPT_BYTES),
      set: (key: CacheKey, entry: Entry<Uint8Array>) => {
        if (entry.value.length <= MAX_RECORD_VALUE_BYTES && entry.version === UNVERSIONED) {
          this.#setRecord(key, entry);
        } else this.#setObject(key, entry, KEPT_BYTES);
      },
    };
  }

  #get(key: CacheKey): Entry<unknown> | undefined {
    const kept = this.#cache.get(key);
    if (kept === undefined) return undefined;
    const entry = typeof kept === "number" ? this.#heap.get(kept) : kept;
    if (!isExpired(entry, this.#clock)) return entry;
    this.#cache.delete(key);
    return undefined;
  }

  #setRecord(key: CacheKey, { value, expiresAtMs }: Entry<Uint8Array>): void {
    const size = textBytes(key) + INDEX_BYTES + recordBytes(value.length);
    if (this.#hasRoomFor(key, size)) this.#cache.set(key, this.#heap.add(value, expiresAtMs), { size });
  }

  #setObject<V>(key: CacheKey, entry: Entry<V>, values: KeptValues<V>): void {
    const size = textBytes(key) + ENTRY_OVERHEAD_BYTES + values.bytesOf(entry.value);
    if (!this.#hasRoomFor(key, size)) return;
    const value = values.owned(entry.value);
    this.#cache.set(key, value === entry.value ? entry : { ...entry, value }, { size });
  }

  /** Whether an entry of this size is kept; if not, removes the entry it would have replaced. */
  #hasRoomFor(key: CacheKey, size: number): boolean {
    if (size > this.#maxEntryBytes) {
      this.#cache.delete(key);
      return false;
    }
    if (this.#cache.size >= MAX_ENTRIES) this.#cache.pop();
    return true;
  }

  #delete(key: CacheKey): void {
    this.#cache.delete(key);
  }

  /** Starts over with an empty map: removing entry by entry would block all calls. */
  #clear(): void {
    this.#heap = new SlabHeap();
    this.#cache = this.#cacheOver(this.#heap);
  }

  #cacheOver(heap: SlabHeap): LRUCache<string, Kept> {
    return new LRUCache<string, Kept>({
      maxSize: this.#maxBytes,
      dispose: (kept) => {
        if (typeof kept === "number") heap.remove(kept);
      },
    });
  }
}
