import type { Clock } from "../core/clock.ts";
import { type Entry, isExpired } from "../core/entry.ts";
import type { CacheKey } from "../core/key.ts";
import type { Announcement, Epoch, SharedCache, SharedRead } from "../core/ports.ts";
import type { Version } from "../core/version.ts";
import { Backfill, type LeasedCopy } from "./backfill.ts";
import { DirtyKeys } from "./dirty_keys.ts";
import type { CacheObserver } from "./observer.ts";
import { OutboxDrain, type OutboxSource } from "./outbox_drain.ts";
import type { Tier } from "./tier.ts";

/** The parts of a {@link SharedTier} beside its store and policy. */
export interface SharedTierOptions {
  readonly clock: Clock;
  readonly observer: CacheObserver;
  readonly newIntent: () => string;
  readonly backfillQueueSize: number;
  /** Drops what nearer tiers keep of these keys, or of all. */
  readonly forget: (keys: ReadonlySet<CacheKey> | "all") => void;
  /** Where changes wait that the tier could not be told of, with its tier; undefined where there is no such place. */
  readonly outbox: OutboxSource | undefined;
}

/**
 * A shared cache as the chain uses it: none of its failures fails a call. A read that fails is "unknown"; a
 * change that cannot be announced leaves the key distrusted until the tier has a tombstone for it. While the tier
 * may not know of changes that others made, it is not read at all, see {@link OutboxDrain}.
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
      tier.write("tombstone", () => store.writeTombstone(key, intent, version, signal));
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
      onSettled: (key) => options.forget(new Set([key])),
      onOverflow: () => this.#drain?.markDirty(),
    });
  }

  /** An entry that has not expired, or what else the tier says; "unknown" when it cannot be asked. */
  async read(key: CacheKey, signal: AbortSignal): Promise<SharedRead<V> | "unknown"> {
    // As there, if it does not know better: nothing is kept of what is read while the truth may be changing.
    if (this.#dirty.isUnsettled(key)) return "tombstone";
    if (!this.#mayRead(key)) return "unknown";
    try {
      const found = await this.#tier.read("read", () => this.#store.read(key, signal));
      // Asked again: a change may have failed to announce itself while the answer was under way.
      if (!this.#mayRead(key)) return "unknown";
      if (found === "tombstone" || "lease" in found) return found;
      return isExpired(found, this.#clock) ? { lease: undefined } : found;
    } catch {
      return "unknown";
    }
  }

  /**
   * Puts a tombstone over the key before the authority is changed. Without an epoch when that could not be done: the
   * key is distrusted here until it can, and the change goes on.
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

  /** Says that a change has met another life in force than this process. */
  overtaken(): void {
    this.#drain?.markDirty();
  }

  /** Puts the new entry in the place of the announcement, unless somebody else is changing the key. */
  async publish(key: CacheKey, intent: string, entry: Entry<V>): Promise<void> {
    if (isExpired(entry, this.#clock)) return await this.writeTombstone(key, intent, entry.version);
    const publish = () => this.#store.publish(key, intent, entry, this.#stop.signal);
    await this.#finish(key, entry.version, publish);
  }

  /** Ends the announcement of a delete; the tombstone stays. */
  async writeTombstone(key: CacheKey, intent: string, version: Version | undefined): Promise<void> {
    await this.#finish(
      key,
      version,
      () => this.#store.writeTombstone(key, intent, version, this.#stop.signal),
    );
  }

  /**
   * Takes back the announcement of a change that has certainly had no effect. A failure leaves a tombstone until it
   * ends by itself, and nothing in the tier that is not true.
   */
  async retract(key: CacheKey, intent: string): Promise<void> {
    try {
      await this.#tier.write("retract", () => this.#store.retract(key, intent, this.#stop.signal));
    } catch {
      // The observer has been told.
    }
  }

  /**
   * Says that what the tier has may be older than the truth, of which this version is known: the key is not read
   * there until it has a tombstone that outranks it.
   */
  markDirty(key: CacheKey, version?: Version): void {
    this.#dirty.add(key, version);
  }

  /** As {@link distrust}, of a change that may take effect at any time until `settled` resolves. */
  markDirtyUntil(settled: Promise<void>, key: CacheKey): void {
    this.#dirty.addUntil(settled, key);
  }

  /** Copies an entry into the tier behind the read that found it. Takes the fence over. */
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
    return !this.#dirty.has(key) && (this.#drain === undefined || this.#drain.mayTrust());
  }

  async #finish(key: CacheKey, version: Version | undefined, tell: () => Promise<void>): Promise<void> {
    try {
      await this.#tier.write("write", tell);
    } catch {
      // The announcement still stands there, unless the tier has lost it (FLUSHALL, eviction, failover).
      this.#dirty.add(key, version);
      return;
    }
    // Not once it is announced: of an earlier change that could not be, the tier knows the version only by what
    // outranks it, and this one may have no effect.
    this.#dirty.delete(key);
  }

  async #fill(key: CacheKey, { entry, lease }: LeasedCopy<V>): Promise<void> {
    if (isExpired(entry, this.#clock)) return;
    try {
      await this.#tier.write("fill", () => this.#store.fill(key, lease, entry, this.#stop.signal));
    } catch {
      // The observer has been told; the next read of the key tries again.
    }
  }
}
