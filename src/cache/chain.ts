import type { Clock } from "../core/clock.ts";
import { type Entry, isExpired } from "../core/entry.ts";
import { ServiceError } from "../core/errors.ts";
import type { CacheKey } from "../core/key.ts";
import type { CopyPolicy } from "../core/policies.ts";
import type { Announcement, Authority, Caller, Outbox, SharedCache } from "../core/ports.ts";
import type { Version } from "../core/version.ts";
import { ChangeQueue } from "./change_queue.ts";
import { type Fence, Fences } from "./fences.ts";
import { ABSENT, type LocalTier, type Renew } from "./local_memory.ts";
import type { CacheObserver, CallObserver } from "./observer.ts";
import { SharedTier } from "./shared_tier.ts";
import { SingleFlight } from "./single_flight.ts";
import type { Tier } from "./tier.ts";

/** The parts of a chain, nearest first. */
export interface ChainOptions<V, C> {
  readonly local: LocalTier<V> | undefined;
  readonly shared: {
    readonly store: SharedCache<V>;
    readonly tier: Tier;
    /** The authority's; without one, only this process remembers a change that could not be announced. */
    readonly outbox?: Outbox;
    /** Whether a write of `later` right after one of `earlier` leaves no trace of `earlier`. */
    readonly covers: (later: C, earlier: C) => boolean;
  } | undefined;
  readonly authority: { readonly store: Authority<V, C>; readonly tier: Tier };
  /**
   * Whether local memory keeps what a change has written; true by default. False where Redis also notifies this process
   * of its own changes, because that would evict the copy at once.
   */
  readonly keepsWrites?: boolean;
  readonly clock: Clock;
  readonly observer: CacheObserver;
  /** Makes a UUID that no other change, here or in another process, has. */
  readonly newIntent: () => string;
  /** How many entries may wait to be copied into the shared tier. */
  readonly backfillQueueSize: number;
}

/** The caller of a read in the background. */
const BACKGROUND: Caller = { cancelled: false, whenCancelled() {} };

/** A change runs to its end even if its caller leaves: half a change would leave the tiers inconsistent. */
const NEVER_ABORTED = new AbortController().signal;

/** How a change counts that fails with an error of unknown effect. */
const UNKNOWN_EFFECT = { hadNoEffect: false, settled: undefined };

/** Makes a read's result from what was found, synchronously: another promise would cost more. */
type Respond<V, T> = (entry: Entry<V> | undefined) => T;

/** What a set and a delete do differently. */
interface ChangeSteps<V, T> {
  /** Changes the truth. */
  readonly apply: (announcement: Announcement | undefined) => Promise<T>;
  /** Completes the announcement in the shared tier. */
  readonly share: (shared: SharedTier<V>, intent: string, result: T) => Promise<void>;
  /** The version above all earlier ones. */
  readonly versionOf: (result: T) => Version | undefined;
  /** Fills local memory; false, and nothing done, if it may keep nothing. */
  readonly keep: (result: T) => boolean;
}

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
  readonly #local: LocalTier<V> | undefined;
  readonly #shared: SharedTier<V> | undefined;
  readonly #authority: Authority<V, C>;
  readonly #tier: Tier;
  readonly #keepsWrites: boolean;
  readonly #clock: Clock;
  readonly #newIntent: () => string;
  readonly #calls: CallObserver | undefined;
  /** Only with a shared tier, where each change under way costs an intent. */
  readonly #queue: ChangeQueue<C> | undefined;
  readonly #fences = new Fences();
  readonly #flights = new SingleFlight<CacheKey, Entry<V> | undefined>();
  /** Background reads that renew a copy. */
  readonly #renewals = new Set<Promise<void>>();

  constructor(options: ChainOptions<V, C>) {
    this.#local = options.local;
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
        invalidateLocal: (keys) => this.#invalidateEach(keys),
        outbox: outbox && { store: outbox, tier: this.#tier },
      });
    }
  }

  /**
   * What `respond` makes of the entry, or of undefined when the authority has none. The entry may have expired if the
   * authority still has the row; the caller tells that from absence. A hit in local memory answers at once, without a
   * promise.
   *
   * `policy` is always the same for a key, here and in {@link set}.
   */
  get<T>(key: CacheKey, caller: Caller, respond: Respond<V, T>, policy?: CopyPolicy): T | Promise<T> {
    const found = this.#local?.get(key, policy, this.#renew);
    if (found === undefined) return this.#read(key, caller, respond, policy);
    return respond(found === ABSENT ? undefined : found);
  }

  /**
   * Stores an entry. On rejection the outcome is unknown, unless the error has {@link ServiceError.hadNoEffect}. A
   * caller that leaves cancels its change only while that waits for another change of the key.
   */
  set(key: CacheKey, caller: Caller, change: C, policy?: CopyPolicy): Promise<void> {
    const make = () =>
      this.#change(key, {
        apply: (announcement) => this.#authority.write(key, change, NEVER_ABORTED, announcement),
        share: (shared, intent, entry) => shared.publish(key, intent, entry),
        versionOf: (entry) => entry.version,
        keep: (entry) => this.#keepsWrites && this.#keep(key, entry, policy),
      });
    return this.#queue === undefined ? make() : this.#queue.run(key, caller, { written: change, make });
  }

  /** Deletes an entry, there or not; otherwise as {@link set}. */
  delete(key: CacheKey, caller: Caller): Promise<void> {
    const make = () =>
      this.#change<Version | undefined>(key, {
        apply: (announcement) => this.#authority.remove(key, NEVER_ABORTED, announcement),
        share: (shared, intent, version) => shared.writeTombstone(key, intent, version),
        versionOf: (version) => version,
        keep: () => false,
      });
    return this.#queue === undefined ? make() : this.#queue.run(key, caller, { written: undefined, make });
  }

  /** The entry has changed: evicts the local copy, and no read that begins from now on gets what was read before. */
  invalidate(key: CacheKey): void {
    this.#local?.delete(key);
    this.#voidReads(key);
  }

  /** Like {@link invalidate}, for every entry. Empties local memory, also of what other chains keep there. */
  invalidateAll(): void {
    this.#local?.clear();
    this.#fences.voidAll();
    this.#flights.forgetAll();
  }

  /** Resolves once no copy into a nearer tier is waiting or under way. */
  async idle(): Promise<void> {
    await Promise.all(this.#renewals);
    await this.#shared?.idle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#renewals);
    await this.#shared?.[Symbol.asyncDispose]();
  }

  #read<T>(key: CacheKey, caller: Caller, respond: Respond<V, T>, policy?: CopyPolicy): Promise<T> {
    if (this.#calls !== undefined && this.#flights.has(key)) this.#calls.readJoined();
    return this.#flights.join(key, caller, (signal) => this.#descend(key, signal, policy), respond);
  }

  /** Renews a copy. The tiers bound the read in time and report errors; after one the copy lives out its time. */
  readonly #renew: Renew = (key, policy) => {
    const ended = () => void this.#renewals.delete(renewal);
    const renewal = this.#read(key, BACKGROUND, () => {}, policy).then(ended, ended);
    this.#renewals.add(renewal);
  };

  /** The work of a flight: reads below local memory, and fills the nearer tiers in the background. */
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
      // Memory may still hold something older: a copy to be renewed, or one that was not served for a while.
      this.#local?.delete(key);
      // Under a tombstone the truth may be changing right now: what was read is good for this answer only.
      if (shared === "tombstone") return entry;
      if (entry === undefined || isExpired(entry, this.#clock)) {
        this.#local?.keepAbsence(key, entry, policy);
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
   * Whether a read may fill memory with what it found. If not, the key has changed meanwhile, and what was found may be
   * the newer: memory evicts the key, or a read that begins after this one has returned could get something older.
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
    this.invalidate(key);
    return false;
  }

  /** Changes the truth and then the nearer tiers. */
  async #change<T>(key: CacheKey, { apply, share, versionOf, keep }: ChangeSteps<V, T>): Promise<void> {
    using fence = this.#fences.takeForChange(key);
    let intent = "";
    let announcement: Announcement | undefined;
    if (this.#shared !== undefined) {
      intent = this.#newIntent();
      // Announcing costs the shared copy, so it waits until the authority is known to answer: while it does not,
      // nothing changes, and the shared tier keeps serving reads.
      if (!this.#tier.hasJustAnswered) {
        await this.#tier.read("write", () => this.#authority.ping(NEVER_ABORTED));
      }
      announcement = await this.#shared.announce(key, intent);
    }
    // Before `apply`, which clears `announcement.epoch` if another epoch is in force.
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
        // Without an announcement another change's entry may have come in between, so the key is dirty again.
        this.#shared.markDirty(key, versionOf(result));
        if (announced !== undefined) this.#shared.epochChanged();
      }
    }
    const isKept = fence.holds && keep(result);
    if (!isKept) this.#local?.delete(key);
    this.#voidReads(key);
  }

  /**
   * A change has failed with `error`, or has succeeded too late for its caller. Unless it certainly had no effect, no
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
    this.invalidate(key);
  }

  /** Replaces the copy in local memory; false, and nothing done, if the entry has expired. */
  #keep(key: CacheKey, entry: Entry<V>, policy: CopyPolicy | undefined): boolean {
    if (isExpired(entry, this.#clock)) return false;
    this.#local?.keep(key, entry, policy);
    return true;
  }

  #invalidateEach(keys: ReadonlySet<CacheKey> | "all"): void {
    if (keys === "all") this.invalidateAll();
    else for (const key of keys) this.invalidate(key);
  }

  /** Reads in flight answer only those already waiting, and fill no memory. */
  #voidReads(key: CacheKey): void {
    this.#fences.void(key);
    this.#flights.forget(key);
  }
}
