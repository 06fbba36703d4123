import { LRUCache } from "lru-cache";
import type { Clock } from "../../core/clock.ts";
import { type Entry, isExpired } from "../../core/entry.ts";
import type { CacheKey } from "../../core/key.ts";
import type { LocalStore } from "../../core/ports.ts";
import { UNVERSIONED } from "../../core/version.ts";
import { KEPT_BYTES, type KeptValues } from "./kept_values.ts";
import { MAX_RECORD_VALUE_BYTES } from "./slab.ts";
import { recordBytes, SlabHeap } from "./slab_heap.ts";
import { textBytes } from "./text_bytes.ts";

/** How much an {@link LruMemory} may hold. */
export interface LruOptions {
  /** The most that all entries may take, keys and bookkeeping counted. */
  readonly maxBytes: number;
  /** An entry that takes more is not kept. */
  readonly maxEntryBytes: number;
}

/**
 * What any entry takes beside its key's characters and what is kept under it, in bytes: the key's header and padding
 * up to 23, the map 28 to 112 (112 when it has just doubled under deletes), the library's five lists 40 to 60, and 8 to
 * 16 for a slot. tests/bench/memory.ts measures the resident memory.
 */
const INDEX_BYTES = 210;

/** An entry that is kept as an object: that object, with its numbers and its version. */
const OBJECT_BYTES = 120;

/** What an entry takes that is kept as an object, beside its key's characters and its value. */
export const ENTRY_OVERHEAD_BYTES = INDEX_BYTES + OBJECT_BYTES;

/**
 * The most entries that there may be. Beyond 2^24 a Map throws, and it counts what was deleted since it last grew: only
 * up to half of that it can go on for ever at the same size.
 */
const MAX_ENTRIES = 2 ** 23;

/** What stands under a key: the entry itself, or the slot that has it in the {@link SlabHeap}. */
type Kept = Entry<unknown> | number;

/**
 * This process's memory, bounded in bytes: the least recently used entries make room. There is no timer an
 * entry; an expired one is found out when it is asked for, or makes room like any other.
 *
 * One memory serves entries of several kinds, so that they compete for one budget; their keys never meet.
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

  /** The bytes that the entries take by the count that bounds them. */
  get usedBytes(): number {
    return this.#cache.calculatedSize;
  }

  /** How many entries there are, expired ones that nobody has asked for included. */
  get entryCount(): number {
    return this.#cache.size;
  }

  /** The part of the memory that holds one kind of entry, as objects. For bytes there is {@link byteStore}. */
  store<V>(values: KeptValues<V>): LocalStore<V> {
    return {
      // Whatever stands under a key of this kind was put there by set().
      get: (key: CacheKey) => this.#get(key) as Entry<V> | undefined,
      set: (key: CacheKey, entry: Entry<V>) => this.#setObject(key, entry, values),
      delete: (key: CacheKey) => this.#delete(key),
      clear: () => this.#clear(),
    };
  }

  /** The part that holds bytes: of a small value a copy beside others, a large one itself. */
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

  /** Whether an entry of this size may be kept; if not, the one that it was to replace is gone. */
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

  /** Begins anew: to remove entry by entry would keep every call waiting. */
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
