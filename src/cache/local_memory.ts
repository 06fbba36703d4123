import type { Clock } from "../core/clock.ts";
import { type Entry, timeLeftMs } from "../core/entry.ts";
import type { CacheKey } from "../core/key.ts";
import type { CopyPolicy } from "../core/policies.ts";
import type { LocalStore } from "../core/ports.ts";
import { UNVERSIONED } from "../core/version.ts";

/** What local memory has under a key: the entry, the fact that there is none, or nothing. */
export type LocalRead<V> = Entry<V> | typeof ABSENT | undefined;

/** Memory remembers that there is no entry. A symbol, because comparing one costs a hit nothing. */
export const ABSENT: unique symbol = Symbol("absent");

/**
 * Local memory as a chain uses it. A key always comes with the same policy; without one its copies live as long as
 * their entries, and its absence is not remembered.
 */
export interface LocalTier<V> {
  /**
   * What memory has, perhaps an entry that had expired when it was kept. Makes no promise and no copy. Calls `renew`
   * if this hit should renew the copy, which is once a copy.
   */
  get(key: CacheKey, policy: CopyPolicy | undefined, renew: Renew): LocalRead<V>;
  /** Keeps an entry that has not expired, replacing what memory has. */
  keep(key: CacheKey, entry: Entry<V>, policy: CopyPolicy | undefined): void;
  /** Remembers that there is no entry, or only this expired one. */
  keepAbsence(key: CacheKey, expired: Entry<V> | undefined, policy: CopyPolicy | undefined): void;
  delete(key: CacheKey): void;
  /** Empties memory, also of what other chains keep there. */
  clear(): void;
}

/** Reads a key again in the background and replaces its copy. */
export type Renew = (key: CacheKey, policy: CopyPolicy | undefined) => void;

/** What memory holds for an entry with a policy. */
export interface Copy<V> {
  /** What the authority has: the entry, perhaps expired, or undefined when it has none. */
  readonly found: Entry<V> | undefined;
  /** The instant from which a hit renews the copy; Infinity when none does. */
  renewAtMs: number;
}

/** What a copy takes in memory besides its entry, in bytes: how the heap grows with 400,000 of them. */
export const COPY_BYTES = 128;

export interface LocalMemoryOptions<V> {
  /** Holds entries without a policy. */
  readonly entries: LocalStore<V>;
  /** Holds entries with a policy. Both stores are views of one memory, so deleting a key in one deletes it in both. */
  readonly copies: LocalStore<Copy<V>>;
  readonly clock: Clock;
  /** Gives numbers in [0, 1). */
  readonly random: () => number;
}

/**
 * Local memory with and without copy policies. An entry without a policy is stored itself, which is the faster way. A
 * copy has an end of its own, which is the store's expiry; the entry inside keeps its expiry, which clients see.
 *
 *     kept              renewed by the next hit     the copy's end        the entry's expiry
 *     |-- answers ------|-- answers ----------------|                     |
 *     0          refreshAhead x localTtl         localTtl (less jitter)
 */
export class LocalMemory<V> implements LocalTier<V> {
  readonly #entries: LocalStore<V>;
  readonly #copies: LocalStore<Copy<V>>;
  readonly #clock: Clock;
  readonly #random: () => number;

  constructor(options: LocalMemoryOptions<V>) {
    this.#entries = options.entries;
    this.#copies = options.copies;
    this.#clock = options.clock;
    this.#random = options.random;
  }

  get(key: CacheKey, policy: CopyPolicy | undefined, renew: Renew): LocalRead<V> {
    if (policy === undefined) return this.#entries.get(key);
    const copy = this.#copies.get(key)?.value;
    if (copy === undefined) return undefined;
    if (copy.renewAtMs !== Infinity && copy.renewAtMs <= this.#clock.now()) {
      copy.renewAtMs = Infinity;
      renew(key, policy);
    }
    return copy.found ?? ABSENT;
  }

  keep(key: CacheKey, entry: Entry<V>, policy: CopyPolicy | undefined): void {
    if (policy === undefined) return this.#entries.set(key, entry);
    const nowMs = this.#clock.now();
    // An entry's own time is jittered too: else all replicas that copied it would lose it, and ask below, at once.
    const ttlMs = this.#spread(Math.min(policy.localTtlMs, timeLeftMs(entry, this.#clock)), policy);
    const endsAtMs = nowMs + ttlMs;
    const mayRenew = policy.refreshAhead > 0 && endsAtMs < entry.expiresAtMs;
    this.#copies.set(key, {
      value: { found: entry, renewAtMs: mayRenew ? nowMs + ttlMs * policy.refreshAhead : Infinity },
      expiresAtMs: endsAtMs,
      version: entry.version,
    });
  }

  keepAbsence(key: CacheKey, expired: Entry<V> | undefined, policy: CopyPolicy | undefined): void {
    if (policy === undefined || policy.negativeTtlMs === 0) return;
    this.#copies.set(key, {
      value: { found: expired, renewAtMs: Infinity },
      expiresAtMs: this.#clock.now() + this.#spread(policy.negativeTtlMs, policy),
      version: UNVERSIONED,
    });
  }

  delete(key: CacheKey): void {
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  #spread(ms: number, { jitter }: CopyPolicy): number {
    return jitter === 0 || ms === Infinity ? ms : Math.ceil(ms * (1 - jitter * this.#random()));
  }
}
