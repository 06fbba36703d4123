/** What the chain asks of a store. Each port has one conformance suite under tests/conformance. */
import type { Entry } from "./entry.ts";
import type { CacheKey } from "./key.ts";
import type { Version } from "./version.ts";

/** Somebody who waits for an answer. Not an AbortSignal, since a listener of one costs more than a whole flight. */
export interface Caller {
  /** Whether the caller has gone, and nobody will hear the answer. */
  readonly cancelled: boolean;
  /** Calls `listener` when the caller goes, at once if it has; perhaps also if it goes after the answer. */
  whenCancelled(listener: () => void): void;
}

/** The nearest tier: this process's memory. Answers at once and never fails. */
export interface LocalStore<V> {
  /**
   * The entry, or undefined when there is none or it has expired. Makes no copy of the value, which yet stays as it
   * is for as long as somebody holds it, whatever becomes of the entry.
   */
  get(key: CacheKey): Entry<V> | undefined;
  /**
   * Keeps the entry, or a copy, unless it is larger than the store takes; the entry it replaces is gone either way.
   */
  set(key: CacheKey, entry: Entry<V>): void;
  delete(key: CacheKey): void;
  clear(): void;
}

/**
 * Who is told what others have changed in a store that local memory has copies of. Called on the spot; must not
 * throw. Nothing counts as told before the first {@link resume}.
 */
export interface Invalidations {
  /** Somebody has changed or removed this entry. */
  invalidate(key: CacheKey): void;
  /** Any entry may have changed. */
  invalidateAll(): void;
  /** All that was changed before this instant has been told; says so again and again while nothing changes. */
  confirm(atMs: number): void;
  /** From now on changes may go untold. */
  suspend(): void;
  /** Every change since this instant is told; those before it may have been missed. */
  resume(atMs: number): void;
}

/**
 * How this process hears of changes: `tracking` of all, from Redis itself; `publishing` only of those that replicas
 * of this service make; `refused` of none, because Redis allows neither; `lost` of none at present.
 */
export type InvalidationState = "tracking" | "publishing" | "refused" | "lost";

/**
 * Names a life of a shared cache: one server from its start, or its promotion, on. While replicas of this service may
 * use different servers, as two masters under Sentinel, one life is in force, and no copies are read in another.
 */
export type Epoch = string;

/** The epoch of a cache whose lives are not told apart: always in force. */
export const ANY_EPOCH: Epoch = "";

/** What the authority is told of the announcement of a change. */
export interface Announcement {
  /**
   * The life of the shared tier that has a tombstone for the change; undefined where none has, so that the change is
   * recorded in the {@link Outbox}. An authority that finds another life in force records the change too, and says
   * so by setting this to undefined.
   */
  epoch: Epoch | undefined;
}

/**
 * The tier that holds the truth. A rejection says "could not tell", and of a write or a removal that its
 * outcome is unknown, unless the error says that it {@link ServiceError.hadNoEffect}; undefined says "asked, and not
 * there".
 *
 * `C` is what a write says: a whole entry for namespaced values, a change for secrets. A change comes without an
 * announcement where no shared tier holds copies.
 */
export interface Authority<V, C> {
  /** The entry, also an expired one where the store still has it: the caller tells "expired" from "absent". */
  read(key: CacheKey, signal: AbortSignal): Promise<Entry<V> | undefined>;
  /** Writes in one step and resolves to the entry as it is from then on, or a newer one. */
  write(key: CacheKey, change: C, signal: AbortSignal, announcement?: Announcement): Promise<Entry<V>>;
  /** Removes the entry; resolves to the version that outranks all it had, or undefined if there was none. */
  remove(key: CacheKey, signal: AbortSignal, announcement?: Announcement): Promise<Version | undefined>;
  /** Resolves when the store can answer. */
  ping(signal: AbortSignal): Promise<void>;
}

/**
 * Nothing is there; the lease is leave to fill that. It ends when somebody changes or fills the key and when the
 * cache loses it, so that a fill under it is never older than what the cache once held. Undefined where none can
 * be had.
 */
export interface Miss {
  readonly lease: string | undefined;
}

/** Stands before one of several servers that together are a store, so that one which fails is left alone. */
export interface ServerGuard {
  /** Settles as `work` does, or rejects with `store_unavailable`, without beginning it, while the server is left alone. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** As {@link run}, for a question that nobody waits for: it also goes to a server that is left alone. */
  probe<T>(work: () => Promise<T>): Promise<T>;
}

/** What a {@link SharedCache} holds: an entry, a sign that the truth is being changed, or nothing. */
export type SharedRead<V> = Entry<V> | "tombstone" | Miss;

/**
 * A tier between memory and the authority that all replicas share. It never holds anything older than what
 * it once held, also if it loses something or falls back to an old copy of itself: entries carry versions, and
 * whoever changes the truth first puts a tombstone here.
 *
 *     read(k)               ->  an entry, a tombstone, or a lease where nothing is
 *     announce(k, intent)   ->  tombstone {intent}              before the authority is written
 *     publish(k, intent, e) ->  e, if nobody else is writing    after it was
 *     writeTombstone(k, intent, v)    ->  tombstone, outranks v           after it was deleted
 *     retract(k, intent)    ->  nothing, if no other writes     after the authority has changed nothing
 *     fill(k, lease, e)     ->  e, if the lease still stands    after the authority was read
 *
 * A tombstone lasts longer than any request, so a change that began is not overtaken before its end.
 */
export interface SharedCache<V> {
  read(key: CacheKey, signal: AbortSignal): Promise<SharedRead<V>>;
  /**
   * Replaces whatever is there by a tombstone that names `intent`, a UUID that no other change has. Resolves to the
   * life in which that happened.
   */
  announce(key: CacheKey, intent: string, signal: AbortSignal): Promise<Epoch>;
  publish(key: CacheKey, intent: string, entry: Entry<V>, signal: AbortSignal): Promise<void>;
  writeTombstone(
    key: CacheKey,
    intent: string,
    version: Version | undefined,
    signal: AbortSignal,
  ): Promise<void>;
  /** Takes back the announcement of a change that has certainly had no effect, nor will have one. */
  retract(key: CacheKey, intent: string, signal: AbortSignal): Promise<void>;
  fill(key: CacheKey, lease: string, entry: Entry<V>, signal: AbortSignal): Promise<void>;
  readonly epoch: SharedEpoch;
}

/** The epoch of the shared cache that this process is connected to. */
export interface SharedEpoch {
  /** Undefined while there is no connection. */
  readonly current: Epoch | undefined;
  /** Resolves when the server answers in the same epoch; rejects if that is over. */
  confirm(): Promise<void>;
  /** Asks the server for its epoch again, at most once a second: its name may have changed. */
  recheck(): void;
}

/** A change of the truth that a {@link SharedCache} could not be told of. */
export interface OutboxRecord {
  /** Names the record. */
  readonly id: number;
  readonly key: CacheKey;
  /** What the change made, or outranks all that it removed; 0 and 0 where it found nothing to remove. */
  readonly version: Version;
}

/**
 * The changes that the shared tier could not be told of beforehand. The transaction of such a change also records it,
 * so that any replica that reaches the shared tier can put a tombstone there, also if the writer has died.
 *
 *     the authority  ->  the change and its record, both or neither
 *     enter()        ->  each replica, each second: which life of the shared tier is in force
 *     pending()      ->  a tombstone into that for each record,
 *     clear()            and only then the record is removed; twice does no harm
 *
 * One life is in force at a time, and none ever again once another one is. Entering a new one waits for all changes
 * that compare their announcement with the one before:
 *
 *     A                                B, which has not heard of the failover
 *     follows to the new master
 *                                      announces in the old master
 *     enters the new life
 *     copies v1 into the new master
 *                                      writes v2: another life is in force, so it is recorded as well
 *     finds the record, writes a tombstone over v1
 */
export interface Outbox {
  /**
   * Whether this life of the shared tier is in force; one that was never met is from now on. `confirm` is asked before
   * that, when no other life can come into force any more: one that has ended must not replace its successor, and
   * undefined says that this could not be ruled out.
   */
  enter(epoch: Epoch, confirm: () => Promise<boolean>, signal: AbortSignal): Promise<boolean | undefined>;
  /** At most `limit` records, the oldest first; fewer only if there are no more. */
  pending(limit: number, signal: AbortSignal): Promise<OutboxRecord[]>;
  /** Removes records whose tombstones are in this life, or nothing if that is not in force any more. */
  clear(records: readonly OutboxRecord[], epoch: Epoch, signal: AbortSignal): Promise<void>;
}
