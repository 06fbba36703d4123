/** What the cache needs from stores. Each store port has one conformance suite under tests/conformance. */
import type { Entry } from "./entry.ts";
import type { CacheKey } from "./key.ts";
import type { Version } from "./version.ts";

/** The caller of a request. Not an AbortSignal, because a listener of one costs more than a whole flight. */
export interface Caller {
  /** Whether the caller has left, so that the answer is no longer needed. */
  readonly cancelled: boolean;
  /** Calls `listener` when the caller leaves, at once if it has; perhaps also if it leaves after the answer. */
  whenCancelled(listener: () => void): void;
}

/** This process's memory. Synchronous; never fails. */
export interface LocalStore<V> {
  /**
   * The entry, or undefined when there is none or it has expired. Does not copy the value. The value stays valid while
   * it is in use, whatever happens to the entry.
   */
  get(key: CacheKey): Entry<V> | undefined;
  /** Keeps the entry, or a copy, unless it is too large for the store. The entry that it replaces is gone either way. */
  set(key: CacheKey, entry: Entry<V>): void;
  delete(key: CacheKey): void;
  clear(): void;
}

/**
 * Receives what others change in a store that local memory has copies of. Methods are called synchronously and must not
 * throw. Changes before the first {@link resume} are not reported.
 */
export interface Invalidations {
  /** This entry was changed or removed. */
  invalidate(key: CacheKey): void;
  /** Any entry may have changed. */
  invalidateAll(): void;
  /** All changes before this instant have been reported. Called regularly, also while nothing changes. */
  confirm(atMs: number): void;
  /** From now on changes may be missed. */
  suspend(): void;
  /** Every change since this instant is reported; earlier ones may have been missed. */
  resume(atMs: number): void;
}

/**
 * How this process learns of changes. `tracking`: Redis reports all of them. `publishing`: replicas of this service
 * report theirs. `refused`: Redis allows neither. `lost`: there is no connection at present.
 */
export type InvalidationState = "tracking" | "publishing" | "refused" | "lost";

/**
 * Names the period in which one server is the shared cache, from its start or promotion on. While replicas of this
 * service may use different servers, such as two masters under Sentinel, one epoch is in force, and copies are read in
 * that one only.
 */
export type Epoch = string;

/** The epoch of a cache that does not distinguish epochs: always in force. */
export const ANY_EPOCH: Epoch = "";

/** The announcement of a change in the shared tier, as the authority gets it. */
export interface Announcement {
  /**
   * The epoch in which the shared tier has a tombstone for the change. Undefined if it has none: the authority then
   * records the change in the {@link Outbox}. An authority that finds another epoch in force also records the change, and
   * sets this to undefined.
   */
  epoch: Epoch | undefined;
}

/**
 * The tier that holds the truth. A rejection of a read means "could not tell", and undefined means "there is none". A
 * rejection of a write or removal means that its outcome is unknown, unless the error has {@link
 * ServiceError.hadNoEffect}.
 *
 * `C` is what a write takes: a whole entry for namespaced values, a change for secrets. A change has no announcement if
 * there is no shared tier.
 */
export interface Authority<V, C> {
  /** The entry, also an expired one that the store still has: the caller distinguishes "expired" from "absent". */
  read(key: CacheKey, signal: AbortSignal): Promise<Entry<V> | undefined>;
  /** Writes in one step and resolves to the entry as it is from then on, or a newer one. */
  write(key: CacheKey, change: C, signal: AbortSignal, announcement?: Announcement): Promise<Entry<V>>;
  /** Removes the entry; resolves to a version above all that it had, or undefined if there was none. */
  remove(key: CacheKey, signal: AbortSignal, announcement?: Announcement): Promise<Version | undefined>;
  /** Resolves when the store can answer. */
  ping(signal: AbortSignal): Promise<void>;
}

/**
 * There is no entry. The lease permits to fill it. It ends when the key is changed or filled and when the cache loses it,
 * so a fill under it is never older than what the cache once held. Undefined if the cache gives none for this key.
 */
export interface Miss {
  readonly lease: string | undefined;
}

/** The circuit breaker of one of several servers that together are a store. */
export interface ServerBreaker {
  /** Settles as `work` does. While the breaker is open, rejects with `store_unavailable` without beginning it. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Like {@link run}, for background health checks: an open breaker lets `work` through as its probe. */
  probe<T>(work: () => Promise<T>): Promise<T>;
}

/** What a {@link SharedCache} holds: an entry, a sign that the truth is being changed, or nothing. */
export type SharedRead<V> = Entry<V> | "tombstone" | Miss;

/**
 * A tier between memory and the authority that all replicas share. It never serves anything older than what it once
 * held, also after it has lost data or fallen back to an old copy of itself: entries carry versions, and each change
 * puts a tombstone here before it changes the truth.
 *
 *     read(k)                       ->  an entry, a tombstone, or a miss with a lease
 *     announce(k, intent)           ->  tombstone {intent}                  before the authority is written
 *     publish(k, intent, e)         ->  e, if no other change is under way  after it was
 *     writeTombstone(k, intent, v)  ->  tombstone that outranks v           after it was deleted
 *     retract(k, intent)            ->  nothing, likewise                   after a change without effect
 *     fill(k, lease, e)             ->  e, if the lease still exists        after the authority was read
 *
 * A tombstone lives longer than any request, so a change under way never outlives its tombstone.
 */
export interface SharedCache<V> {
  read(key: CacheKey, signal: AbortSignal): Promise<SharedRead<V>>;
  /**
   * Replaces what is there by a tombstone with `intent`, a UUID that no other change has. Resolves to the epoch in which
   * that happened.
   */
  announce(key: CacheKey, intent: string, signal: AbortSignal): Promise<Epoch>;
  publish(key: CacheKey, intent: string, entry: Entry<V>, signal: AbortSignal): Promise<void>;
  writeTombstone(
    key: CacheKey,
    intent: string,
    version: Version | undefined,
    signal: AbortSignal,
  ): Promise<void>;
  /** Takes back the announcement of a change that certainly had no effect and never will. */
  retract(key: CacheKey, intent: string, signal: AbortSignal): Promise<void>;
  fill(key: CacheKey, lease: string, entry: Entry<V>, signal: AbortSignal): Promise<void>;
  readonly epoch: SharedEpoch;
}

/** The epoch of the shared cache that this process is connected to. */
export interface SharedEpoch {
  /** Undefined while there is no connection. */
  readonly current: Epoch | undefined;
  /** Resolves when the server answers in the same epoch; rejects if that has ended. */
  confirm(): Promise<void>;
  /** Asks the server for its epoch again, at most once a second: it may have changed. */
  recheck(): void;
}

/** A change of the truth that could not be announced in a {@link SharedCache}. */
export interface OutboxRecord {
  /** Identifies the record. */
  readonly id: number;
  readonly key: CacheKey;
  /** The version that the change made, or one above all that it removed; 0 and 0 if it found nothing to remove. */
  readonly version: Version;
}

/**
 * The changes that could not be announced in the shared tier. The transaction of such a change also records it, so any
 * replica that reaches the shared tier can put the tombstone there, even if the writer has died.
 *
 *     the authority  ->  the change and its record, both or neither
 *     enter()        ->  each replica, each second: which epoch of the shared tier is in force
 *     pending()      ->  a tombstone in that epoch for each record,
 *     clear()            and only then the record is removed; doing it twice does no harm
 *
 * One epoch is in force at a time, and it never comes back once another one is. Entering a new one waits for all changes
 * that compare their announcement with the one before:
 *
 *     A                                B, unaware of the failover
 *     follows to the new master
 *                                      announces in the old master
 *     enters the new epoch
 *     copies v1 into the new master
 *                                      writes v2: another epoch is in force, so it is also recorded
 *     finds the record, writes a tombstone over v1
 */
export interface Outbox {
  /**
   * Whether this epoch of the shared tier is in force; a new one comes into force now. Before that it calls `confirm`,
   * at a point from which no other epoch can come into force: an epoch that has ended must not replace its successor.
   * Undefined if `confirm` could not rule that out.
   */
  enter(epoch: Epoch, confirm: () => Promise<boolean>, signal: AbortSignal): Promise<boolean | undefined>;
  /** At most `limit` records, the oldest first; fewer only if there are no more. */
  pending(limit: number, signal: AbortSignal): Promise<OutboxRecord[]>;
  /** Removes records that have their tombstones in this epoch; removes nothing if it is no longer in force. */
  clear(records: readonly OutboxRecord[], epoch: Epoch, signal: AbortSignal): Promise<void>;
}
