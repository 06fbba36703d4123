import type { Clock } from "../core/clock.ts";
import { type Entry, timeLeftMs } from "../core/entry.ts";
import type { CacheKey } from "../core/key.ts";
import type { LocalStore } from "../core/ports.ts";
import { UNVERSIONED } from "../core/version.ts";
import type { CopyPolicy } from "./copy_policy.ts";

/** What local memory holds in the place of an entry that is kept under a policy. */
export interface Copy<V> {
  /** What the authority has: the entry itself, also an expired one, or undefined when it has none. */
  readonly found: Entry<V> | undefined;
  /** Whether the entry was there and had not expired. */
  readonly isThere: boolean;
  /** The instant from which a hit renews the copy; Infinity when none does. */
  refreshAtMs: number;
}

/** What a copy takes in memory beside the entry that it wraps, in bytes, as the heap grows with 400,000 of them. */
export const COPY_BYTES = 128;

/**
 * The part of local memory whose entries are kept under a {@link CopyPolicy}. The store's expiry is the copy's
 * own end; the entry inside keeps its expiry, which is what clients are told.
 *
 *     kept              renewed by the next hit     the copy's end        the entry's expiry
 *     |-- answers ------|-- answers ----------------|                     |
 *     0          refreshAhead x keptFor          keptFor (less jitter)
 */
export class LocalCopies<V> {
  readonly #store: LocalStore<Copy<V>>;
  readonly #clock: Clock;
  readonly #random: () => number;

  /** `random` gives numbers in [0, 1). */
  constructor(store: LocalStore<Copy<V>>, clock: Clock, random: () => number) {
    this.#store = store;
    this.#clock = clock;
    this.#random = random;
  }

  get(key: CacheKey): Copy<V> | undefined {
    return this.#store.get(key)?.value;
  }

  /** Whether the hit that has found this copy has to renew it; true once a copy, so that one hit does. */
  isDue(copy: Copy<V>): boolean {
    if (copy.refreshAtMs === Infinity || this.#clock.now() < copy.refreshAtMs) return false;
    copy.refreshAtMs = Infinity;
    return true;
  }

  /** Keeps a copy of an entry that has not expired. */
  keep(key: CacheKey, entry: Entry<V>, policy: CopyPolicy): void {
    const nowMs = this.#clock.now();
    // Of the entry's own time too: replicas that copied it would otherwise all lose it, and ask below, at once.
    const localTtlMs = this.#spread(Math.min(policy.localTtlMs, timeLeftMs(entry, this.#clock)), policy);
    const endsAtMs = nowMs + localTtlMs;
    const mayRenew = policy.refreshAhead > 0 && endsAtMs < entry.expiresAtMs;
    this.#store.set(key, {
      value: {
        found: entry,
        isThere: true,
        refreshAtMs: mayRenew ? nowMs + localTtlMs * policy.refreshAhead : Infinity,
      },
      expiresAtMs: endsAtMs,
      version: entry.version,
    });
  }

  /** Remembers that there is no entry, or none but this expired one. */
  keepAbsence(key: CacheKey, expired: Entry<V> | undefined, policy: CopyPolicy): void {
    if (policy.negativeTtlMs === 0) return;
    this.#store.set(key, {
      value: { found: expired, isThere: false, refreshAtMs: Infinity },
      expiresAtMs: this.#clock.now() + this.#spread(policy.negativeTtlMs, policy),
      version: UNVERSIONED,
    });
  }

  delete(key: CacheKey): void {
    this.#store.delete(key);
  }

  clear(): void {
    this.#store.clear();
  }

  #spread(ms: number, { jitter }: CopyPolicy): number {
    return jitter === 0 || ms === Infinity ? ms : Math.ceil(ms * (1 - jitter * this.#random()));
  }
}
