import type { Clock } from "../core/clock.ts";
import { type Entry, isExpired } from "../core/entry.ts";
import type { CacheKey } from "../core/key.ts";
import type { Announcement, Epoch, SharedCache, SharedRead } from "../core/ports.ts";
import type { Version } from "../core/version.ts";
import { Backfill, type LeasedCopy } from "./backfill.ts";
import { DirtyKeys } from "./dirty_keys.ts";
import type { OutboxSource } from "./epoch_in_force.ts";
import type { CacheObserver } from "./observer.ts";
import { OutboxDrain } from "./outbox_drain.ts";
import type { Tier } from "./tier.ts";

export interface SharedTierOptions {
  readonly clock: Clock;
  readonly observer: CacheObserver;
  readonly newIntent: () => string;
  readonly backfillQueueSize: number;
  /** Invalidates these keys in local memory, or all. */
  readonly invalidateLocal: (keys: ReadonlySet<CacheKey> | "all") => void;
  /** Records changes that could not be announced in the shared tier; undefined if the authority has no outbox. */
  readonly outbox: OutboxSource | undefined;
}

/**
 * A shared cache as the chain uses it: none of its failures fails a call. A failed read is "unknown". A change that
 * cannot be announced makes its key dirty until the tier has a tombstone for it. While the tier may lack changes of other
 * replicas, it is not read at all, see {@link OutboxDrain}.
 */
export class SharedTier<V> implements AsyncDisposable {
  readonly #store: SharedCache<V>;
  readonly #tier: Tier;
  readonly #clock: Clock;
  readonly #observer: CacheObserver;
  readonly #backfill: Backfill<V>;
  readonly #dirty: DirtyKeys;
  readonly #drain: OutboxDrain | undefined;
  readonly #stop = new AbortController();

  constructor(store: SharedCache<V>, tier: Tier, options: SharedTierOptions) {
    this.#store = store;
    this.#tier = tier;
    this.#clock = options.clock;
    this.#observer = options.observer;
    this.#backfill = new Backfill(
      (key, copy) => this.#fill(key, copy),
      options.backfillQueueSize,
      options.clock,
    );
    const { signal } = this.#stop;
    const writeTombstone = (key: CacheKey, intent: string, version: Version | undefined) =>
      tier.write("write the tombstone", () => store.writeTombstone(key, intent, version, signal));
    this.#drain = options.outbox && new OutboxDrain(options.outbox, {
      ...options,
      shared: tier,
      epoch: store.epoch,
      writeTombstone: (key, version) => writeTombstone(key, options.newIntent(), version),
    });
    this.#dirty = new DirtyKeys({
      clock: options.clock,
      writeTombstone,
      announce: (key, intent) => tier.write("announce", () => store.announce(key, intent, signal)),
      newIntent: options.newIntent,
      onSettled: (key) => options.invalidateLocal(new Set([key])),
      onOverflow: () => this.#drain?.markStale(),
    });
  }

  /** What the tier has, an expired entry counting as a miss; "unknown" when it cannot be read. */
  async read(key: CacheKey, signal: AbortSignal): Promise<SharedRead<V> | "unknown"> {
    // The same as the tier's own tombstone, which may be missing: the truth may be changing, so no tier keeps a copy.
    if (this.#dirty.isUnsettled(key)) return "tombstone";
    if (!this.#mayRead(key)) return "unknown";
    try {
      const found = await this.#tier.read("read", () => this.#store.read(key, signal));
      // Once more: a change may have failed to announce itself while the answer was under way.
      if (!this.#mayRead(key)) return "unknown";
      if (found === "tombstone" || "lease" in found) return found;
      return isExpired(found, this.#clock) ? { lease: undefined } : found;
    } catch {
      return "unknown";
    }
  }

  /**
   * Puts a tombstone over the key before the authority is changed. If that fails, the announcement has no epoch, the key
   * is dirty, and the change continues.
   */
  async announce(key: CacheKey, intent: string): Promise<Announcement> {
    const { signal } = this.#stop;
    let epoch: Epoch;
    try {
      epoch = await this.#tier.write("announce", () => this.#store.announce(key, intent, signal));
    } catch {
      this.#dirty.add(key);
      return { epoch: undefined };
    }
    return { epoch: this.#drain === undefined || this.#drain.isInForce(epoch) ? epoch : undefined };
  }

  /** A change was announced in an epoch that is no longer in force. */
  epochChanged(): void {
    this.#drain?.markStale();
  }

  /** Replaces the announcement by the new entry, unless another change of the key is under way. */
  async publish(key: CacheKey, intent: string, entry: Entry<V>): Promise<void> {
    if (isExpired(entry, this.#clock)) return await this.writeTombstone(key, intent, entry.version);
    const publish = () => this.#store.publish(key, intent, entry, this.#stop.signal);
    await this.#finish(key, entry.version, publish);
  }

  /** Ends the announcement of a delete; the tombstone remains. */
  async writeTombstone(key: CacheKey, intent: string, version: Version | undefined): Promise<void> {
    await this.#finish(
      key,
      version,
      () => this.#store.writeTombstone(key, intent, version, this.#stop.signal),
    );
  }

  /**
   * Takes back the announcement of a change that certainly had no effect. After a failure the tombstone remains until it
   * expires, which does no harm.
   */
  async retract(key: CacheKey, intent: string): Promise<void> {
    try {
      await this.#tier.write("retract", () => this.#store.retract(key, intent, this.#stop.signal));
    } catch {
      // The tier has reported it to the observer.
    }
  }

  /**
   * The tier's copy may be stale; `version` is the newest known. The key is not read there until it has a tombstone that
   * outranks this version.
   */
  markDirty(key: CacheKey, version?: Version): void {
    this.#dirty.add(key, version);
  }

  /** Like {@link markDirty}, for a change that may take effect at any time until `settled` resolves. */
  markDirtyUntil(settled: Promise<void>, key: CacheKey): void {
    this.#dirty.addUntil(settled, key);
  }

  /** Copies an entry into the tier in the background. Takes the fence over. */
  backfill(key: CacheKey, copy: LeasedCopy<V>): void {
    if (this.#backfill.offer(key, copy)) return;
    copy.fence[Symbol.dispose]();
    this.#observer.fillDropped(this.#tier.name);
  }

  idle(): Promise<void> {
    return this.#backfill.idle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#backfill.idle();
    const { unsettled } = this.#dirty;
    if (unsettled > 0) this.#observer.changesUnsettled(this.#tier.name, unsettled);
    this.#dirty[Symbol.dispose]();
    this.#drain?.[Symbol.dispose]();
    this.#stop.abort();
  }

  #mayRead(key: CacheKey): boolean {
    return !this.#dirty.has(key) && (this.#drain === undefined || this.#drain.isCurrent());
  }

  async #finish(key: CacheKey, version: Version | undefined, write: () => Promise<void>): Promise<void> {
    try {
      await this.#tier.write("write", write);
    } catch {
      // The tombstone of the announcement is still there, unless the tier has lost it (FLUSHALL, eviction, failover).
      this.#dirty.add(key, version);
      return;
    }
    // Only now, not when it is announced: an earlier change may have left the key dirty, and until this change has
    // taken effect, nothing in the tier outranks that one's version.
    this.#dirty.delete(key);
  }

  async #fill(key: CacheKey, { entry, lease }: LeasedCopy<V>): Promise<void> {
    if (isExpired(entry, this.#clock)) return;
    try {
      await this.#tier.write("fill", () => this.#store.fill(key, lease, entry, this.#stop.signal));
    } catch {
      // The tier has reported it to the observer; the next read of the key tries again.
    }
  }
}
