import type { Clock } from "../core/clock.ts";
import { type Entry, isExpired } from "../core/entry.ts";
import { ServiceError } from "../core/errors.ts";
import type { CacheKey } from "../core/key.ts";
import type { Announcement, Authority, Caller, LocalStore, Outbox, SharedCache } from "../core/ports.ts";
import type { Version } from "../core/version.ts";
import { ChangeQueue } from "./change_queue.ts";
import type { CopyPolicy } from "./copy_policy.ts";
import { type Fence, Fences } from "./fences.ts";
import type { LocalCopies } from "./local_copies.ts";
import type { CacheObserver, CallObserver } from "./observer.ts";
import { SharedTier } from "./shared_tier.ts";
import { SingleFlight } from "./single_flight.ts";
import type { Tier } from "./tier.ts";

/** The parts of a chain, nearest first. */
export interface ChainOptions<V, C> {
  readonly local: LocalStore<V> | undefined;
  /** Where local memory keeps entries that have a {@link CopyPolicy}; without one, they are not kept. */
  readonly copies?: LocalCopies<V> | undefined;
  readonly shared: {
    readonly store: SharedCache<V>;
    readonly tier: Tier;
    /** The authority's; without one, a change that cannot be announced is remembered in this process alone. */
    readonly outbox?: Outbox;
    /** Whether a write of `later` right after one of `earlier` leaves nothing of that to be seen. */
    readonly covers: (later: C, earlier: C) => boolean;
  } | undefined;
  readonly authority: { readonly store: Authority<V, C>; readonly tier: Tier };
  /**
   * Whether memory keeps what a change has written; it does unless this is said. To be denied where this process is
   * told of its own changes as of others': it would drop at once what it has just kept.
   */
  readonly keepsWrites?: boolean;
  readonly clock: Clock;
  readonly observer: CacheObserver;
  /** Makes a UUID, which no other change, here or in another process, has ever had. */
  readonly newIntent: () => string;
  /** How many entries may wait to be copied into the shared tier. */
  readonly backfillQueueSize: number;
}

/** Stands for the caller of a read that nobody waits for. */
const RENEWAL: Caller = { cancelled: false, whenCancelled() {} };

/** Of a change, which runs to its end even if its caller leaves: half of one would leave the tiers at odds. */
const ALWAYS = new AbortController().signal;

/** What is known of a change that failed with an error which says nothing. */
const UNKNOWN_EFFECT = { hadNoEffect: false, settled: undefined };

/** What a read does with what it has found, in the turn in which that is known: a further promise would cost more. */
type Answer<V, T> = (entry: Entry<V> | undefined) => T;

/**
 * How the tiers work together: local memory, at most one shared tier, and the authority, which holds the truth.
 *
 *     read     local -> shared -> authority; what a lower tier had is copied into the nearer ones
 *     change   announce in shared -> authority -> publish in shared -> local -> return
 *
 * When a change returns, every healthy tier holds it, and no read that begins afterwards sees anything older.
 * An error of the authority is an error, never a miss; an error above it costs the nearer copy, not the call.
 */
export class Chain<V, C> implements AsyncDisposable {
  readonly #local: LocalStore<V> | undefined;
  readonly #copies: LocalCopies<V> | undefined;
  readonly #shared: SharedTier<V> | undefined;
  readonly #authority: Authority<V, C>;
  readonly #tier: Tier;
  readonly #keepsWrites: boolean;
  readonly #clock: Clock;
  readonly #newIntent: () => string;
  readonly #calls: CallObserver | undefined;
  /** Only before a shared tier, where each change under way costs an intent. */
  readonly #queue: ChangeQueue<C> | undefined;
  readonly #fences = new Fences();
  readonly #flights = new SingleFlight<CacheKey, Entry<V> | undefined>();
  /** Flights that renew a copy, for which nobody waits. */
  readonly #refreshes = new Set<Promise<void>>();

  constructor(options: ChainOptions<V, C>) {
    this.#local = options.local;
    this.#copies = options.copies;
    this.#authority = options.authority.store;
    this.#tier = options.authority.tier;
    this.#keepsWrites = options.keepsWrites ?? true;
    this.#clock = options.clock;
    this.#newIntent = options.newIntent;
    this.#calls = options.observer.calls;
    if (options.shared !== undefined) {
      const { store, tier, outbox, covers } = options.shared;
      this.#queue = new ChangeQueue({ covers, tier: this.#tier.name });
      this.#shared = new SharedTier(store, tier, {
        ...options,
        forget: (keys) => this.#forgetUntold(keys),
        outbox: outbox && { store: outbox, tier: this.#tier },
      });
    }
  }

  /**
   * What `answer` makes of the entry, or of undefined when the authority has none. The entry may have expired where
   * the authority still has the row; the caller tells that from absence. A hit in local memory is answered at once,
   * without a promise.
   *
   * `policy` is always the same for a key, here and in {@link set}.
   */
  get<T>(key: CacheKey, caller: Caller, answer: Answer<V, T>, policy?: CopyPolicy): T | Promise<T> {
    if (policy === undefined) {
      const entry = this.#local?.get(key);
      return entry === undefined ? this.#read(key, caller, answer) : answer(entry);
    }
    const copy = this.#copies?.get(key);
    if (copy === undefined) return this.#read(key, caller, answer, policy);
    if (this.#copies?.isDue(copy)) this.#refresh(key, policy);
    return answer(copy.found);
  }

  /**
   * Stores an entry. On rejection the outcome is unknown, unless the error says that there was no effect. A caller
   * that leaves while the change waits for another one of its key keeps it from beginning, and no later.
   */
  set(key: CacheKey, caller: Caller, change: C, policy?: CopyPolicy): Promise<void> {
    const make = () =>
      this.#change(
        key,
        (announcement) => this.#authority.write(key, change, ALWAYS, announcement),
        (shared, intent, entry) => shared.publish(key, intent, entry),
        (entry) => entry.version,
        (entry) => this.#keepsWrites && this.#keep(key, entry, policy),
      );
    return this.#queue === undefined ? make() : this.#queue.run(key, caller, { written: change, make });
  }

  /** Deletes an entry, there or not; otherwise as {@link set}. */
  delete(key: CacheKey, caller: Caller): Promise<void> {
    const make = () =>
      this.#change<Version | undefined>(
        key,
        (announcement) => this.#authority.remove(key, ALWAYS, announcement),
        (shared, intent, version) => shared.writeTombstone(key, intent, version),
        (version) => version,
        () => false,
      );
    return this.#queue === undefined ? make() : this.#queue.run(key, caller, { written: undefined, make });
  }

  /** Somebody else has changed the entry: no read that begins from now on gets what was read before. */
  invalidate(key: CacheKey): void {
    this.#drop(key);
  }

  /** Like {@link invalidate}, of every entry. Empties the local store, also of what other chains keep in it. */
  invalidateAll(): void {
    this.#local?.clear();
    this.#copies?.clear();
    this.#fences.voidAll();
    this.#flights.forgetAll();
  }

  /** Resolves once no copy into a nearer tier is waiting or under way. */
  async idle(): Promise<void> {
    await Promise.all(this.#refreshes);
    await this.#shared?.idle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#refreshes);
    await this.#shared?.[Symbol.asyncDispose]();
  }

  #read<T>(key: CacheKey, caller: Caller, answer: Answer<V, T>, policy?: CopyPolicy): Promise<T> {
    if (this.#calls !== undefined && this.#flights.has(key)) this.#calls.readJoined();
    return this.#flights.join(key, caller, (signal) => this.#descend(key, signal, policy), answer);
  }

  /**
   * Renews a copy behind the hit that found it old. The tiers' time-outs bound it, and they tell of errors: what
   * is left of the copy's time is then all that it has.
   */
  #refresh(key: CacheKey, policy: CopyPolicy): void {
    const ended = () => void this.#refreshes.delete(refresh);
    const refresh = this.#read(key, RENEWAL, () => {}, policy).then(ended, ended);
    this.#refreshes.add(refresh);
  }

  /** What a flight does: looks below local memory and fills what is nearer behind the answer. */
  async #descend(key: CacheKey, signal: AbortSignal, policy?: CopyPolicy): Promise<Entry<V> | undefined> {
    const fence = this.#fences.take(key);
    try {
      const shared = this.#shared === undefined ? "unknown" : await this.#shared.read(key, signal);
      if (typeof shared === "object" && !("lease" in shared)) {
        if (this.#mayFill(key, fence)) this.#keep(key, shared, policy);
        return shared;
      }
      signal.throwIfAborted();
      const entry = await this.#tier.read("read", () => this.#authority.read(key, signal));
      if (!this.#mayFill(key, fence)) return entry;
      // Memory may still hold something older than this answer: a copy to be renewed, or what a gate did not let out
      // for a while.
      this.#forget(key);
      // A tombstone says that the truth may be changing right now: what was read is good for this answer only.
      if (shared === "tombstone") return entry;
      if (entry === undefined || isExpired(entry, this.#clock)) {
        if (policy !== undefined) this.#copies?.keepAbsence(key, entry, policy);
      } else {
        this.#keep(key, entry, policy);
        const lease = typeof shared === "object" ? shared.lease : undefined;
        if (lease !== undefined) this.#shared?.backfill(key, { entry, lease, fence: this.#fences.take(key) });
      }
      return entry;
    } finally {
      // Not by `using`: it costs as much as a promise, and every read comes this way.
      fence[Symbol.dispose]();
    }
  }

  /**
   * Whether a read may fill memory with what it found. If not, something has happened to the key meanwhile, and
   * what was found may be the newer: memory drops the key, or a read that begins after this one has returned
   * could get something older from it.
   *
   *     get(k)            set(k, 1)               set(k, 2)
   *     begins
   *                       done, memory holds 1
   *                                               2 is in Redis, the answer on its way
   *     reads 2
   *     returns 2; the next get must not return 1
   */
  #mayFill(key: CacheKey, fence: Fence): boolean {
    if (fence.use()) return true;
    this.#drop(key);
    return false;
  }

  /**
   * Changes the truth and then the nearer tiers.
   *
   * `apply` changes the truth, `share` tells the shared tier, `versionOf` says what outranks all that was before,
   * `keep` puts into local memory what it may hold then, or says that this is nothing.
   */
  async #change<T>(
    key: CacheKey,
    apply: (announcement: Announcement | undefined) => Promise<T>,
    share: (shared: SharedTier<V>, intent: string, result: T) => Promise<void>,
    versionOf: (result: T) => Version | undefined,
    keep: (result: T) => boolean,
  ): Promise<void> {
    using fence = this.#fences.takeForChange(key);
    let intent = "";
    let announcement: Announcement | undefined;
    if (this.#shared !== undefined) {
      intent = this.#newIntent();
      // Announcing costs the shared copy, so it waits until the authority is known to answer: while that cannot,
      // nothing changes, and reads go on being served from the shared tier.
      if (!this.#tier.hasJustAnswered) await this.#tier.read("write", () => this.#authority.ping(ALWAYS));
      announcement = await this.#shared.announce(key, intent);
    }
    const announced = announcement?.epoch;
    const failed = (error: unknown) =>
      this.#onFailure(key, error, announced === undefined ? undefined : intent);
    let result: T;
    try {
      result = await this.#tier.write("write", () => apply(announcement), failed);
    } catch (error) {
      await failed(error);
      throw error;
    }
    if (this.#shared !== undefined) {
      if (announcement?.epoch !== undefined) await share(this.#shared, intent, result);
      else {
        // Without an announcement another change's entry may have come in between: distrusted once more.
        this.#shared.markDirty(key, versionOf(result));
        if (announced !== undefined) this.#shared.overtaken();
      }
    }
    const isKept = fence.holds && keep(result);
    if (!isKept) this.#forget(key);
    this.#outdate(key);
  }

  /**
   * A change has failed, or succeeded too late for its caller, without an error. Unless it certainly had no effect, no
   * nearer tier may go on answering for this key. `intent` is that of its announcement.
   */
  async #onFailure(key: CacheKey, error: unknown, intent: string | undefined): Promise<void> {
    const { hadNoEffect, settled } = error instanceof ServiceError ? error : UNKNOWN_EFFECT;
    if (hadNoEffect) {
      // Every copy is as true as before; only the announcement has to go.
      if (intent !== undefined) await this.#shared?.retract(key, intent);
      return;
    }
    if (settled !== undefined) this.#shared?.markDirtyUntil(settled, key);
    else if (error !== undefined) this.#shared?.markDirty(key);
    this.#drop(key);
  }

  /** Puts a copy into local memory in the place of what is there; false, and nothing done, if it has expired. */
  #keep(key: CacheKey, entry: Entry<V>, policy: CopyPolicy | undefined): boolean {
    if (isExpired(entry, this.#clock)) return false;
    if (policy === undefined) this.#local?.set(key, entry);
    else this.#copies?.keep(key, entry, policy);
    return true;
  }

  #forgetUntold(keys: ReadonlySet<CacheKey> | "all"): void {
    if (keys === "all") this.invalidateAll();
    else for (const key of keys) this.#drop(key);
  }

  /** Drops what local memory has and what reads in flight would put there. */
  #drop(key: CacheKey): void {
    this.#forget(key);
    this.#outdate(key);
  }

  /** Lets nobody have what reads in flight bring but those who are in them, and memory none of it. */
  #outdate(key: CacheKey): void {
    this.#fences.void(key);
    this.#flights.forget(key);
  }

  /** Drops what local memory has. */
  #forget(key: CacheKey): void {
    this.#local?.delete(key);
    this.#copies?.delete(key);
  }
}
