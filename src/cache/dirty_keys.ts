import type { Clock, Timer } from "../core/clock.ts";
import type { CacheKey } from "../core/key.ts";
import { compareVersions, type Version } from "../core/version.ts";

/** How often a failed tombstone is retried. */
const RETRY_MS = 1000;

/** How often the tombstone of an unsettled key is renewed. It lasts a minute, so several renewals may fail. */
const RENEW_MS = 10_000;

/** The most keys that are remembered. */
const MAX_KEYS = 10_000;

/** The state of a dirty key. Never changed: each addition makes a new object, which tells a round that it is late. */
interface DirtyKey {
  /** The newest version that the tier may lack, if it is known. */
  readonly version: Version | undefined;
  /** How many changes of the key may still take effect. */
  readonly unsettled: number;
  /** Whether one of those has settled since. */
  readonly hasSettled: boolean;
  /** The intent of the key's tombstone. */
  readonly intent: string;
  /** When the tombstone was last renewed. */
  readonly renewedAtMs: number;
}

export interface DirtyKeysOptions {
  readonly clock: Clock;
  /**
   * Ends the intent. Resolves once the tier serves nothing under the key and takes nothing older than the version.
   */
  readonly writeTombstone: (key: CacheKey, intent: string, version: Version | undefined) => Promise<void>;
  /** Resolves once the tier has a tombstone that nothing replaces until this intent ends or a minute has passed. */
  readonly announce: (key: CacheKey, intent: string) => Promise<unknown>;
  readonly newIntent: () => string;
  /** A change of the key has settled: it has taken effect or never will. */
  readonly onSettled: (key: CacheKey) => void;
  /** There were too many keys, and the oldest was forgotten. */
  readonly onOverflow: () => void;
}

/**
 * The keys whose entry in the shared tier may be stale, because this process changed them while the tier was out of
 * reach. They are not read there until they have a tombstone, which is tried each second. The {@link Outbox} covers
 * what this process cannot: other replicas' changes, and its own once it has died.
 *
 * A key is unsettled while a change of it may still take effect. For as long as that lasts the tier has a tombstone. It
 * guards against this interleaving:
 *
 *     A                               the database           B
 *     announces, writes v2            stalls in the commit
 *     no answer in time
 *     the tombstone ends
 *                                                            reads v1, copies it into the tier
 *                                     has v2
 *                                                            serves v1 for ever
 *
 * After the change has settled, its tombstone expires by itself a minute later. The change's version is unknown, so a
 * tombstone could not outrank what another replica wrote earlier and publishes later.
 *
 *     A                               the database           B
 *     v3 waits for the row's lock     has v2                 has written v2
 *     no answer in time
 *                                     has v3
 *     learns that it has settled
 *                                                            publishes v2
 */
export class DirtyKeys implements Disposable {
  readonly #options: DirtyKeysOptions;
  readonly #keys = new Map<CacheKey, DirtyKey>();
  #timer: Timer | undefined;
  #isRunning = false;
  /** Whether the next round has to begin at once. */
  #isUrgent = false;
  #isDisposed = false;

  constructor(options: DirtyKeysOptions) {
    this.#options = options;
  }

  has(key: CacheKey): boolean {
    return this.#keys.has(key);
  }

  /** Whether a change of the key may still take effect. */
  isUnsettled(key: CacheKey): boolean {
    const dirty = this.#keys.get(key);
    return dirty !== undefined && dirty.unsettled > 0;
  }

  /** The number of keys that are unsettled. */
  get unsettled(): number {
    return [...this.#keys.values()].filter(({ unsettled }) => unsettled > 0).length;
  }

  add(key: CacheKey, version?: Version): void {
    this.#put(key, version, 0);
    this.#schedule("soon");
  }

  /** Adds a key that is unsettled until `settled` resolves. */
  async addUntil(settled: Promise<void>, key: CacheKey): Promise<void> {
    this.#put(key, undefined, 1);
    this.#schedule("now");
    await settled;
    if (this.#isDisposed) return;
    this.#put(key, undefined, -1);
    this.#options.onSettled(key);
    this.#schedule("now");
  }

  /** Removes the key unless it is unsettled: a later change has put its own entry or tombstone there. */
  delete(key: CacheKey): void {
    if (!this.isUnsettled(key)) this.#keys.delete(key);
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#timer?.cancel();
    this.#keys.clear();
  }

  #put(key: CacheKey, version: Version | undefined, unsettled: number): void {
    const known = this.#keys.get(key);
    // To the end, so that the first key is the one added longest ago.
    this.#keys.delete(key);
    this.#keys.set(key, {
      version: newer(known?.version, version),
      unsettled: (known?.unsettled ?? 0) + unsettled,
      hasSettled: known?.hasSettled === true || unsettled < 0,
      intent: known?.intent ?? this.#options.newIntent(),
      renewedAtMs: known?.renewedAtMs ?? -Infinity,
    });
    if (this.#keys.size <= MAX_KEYS) return;
    // Unsettled keys are few, because the database bounds their changes.
    for (const [oldest, { unsettled }] of this.#keys) {
      if (unsettled > 0) continue;
      this.#keys.delete(oldest);
      return this.#options.onOverflow();
    }
  }

  #schedule(when: "soon" | "now"): void {
    if (when === "now") this.#isUrgent = true;
    if (this.#isRunning || this.#isDisposed) return;
    if (when === "now") this.#timer?.cancel();
    else if (this.#timer !== undefined) return;
    const delayMs = when === "now" ? 0 : RETRY_MS;
    this.#timer = this.#options.clock.setTimer(() => this.#round(), delayMs, "background");
  }

  async #round(): Promise<void> {
    this.#timer = undefined;
    this.#isRunning = true;
    this.#isUrgent = false;
    // One after the other: the first failure means that the tier is still out of reach, and ends the round.
    for (const [key, dirty] of [...this.#keys]) {
      if (this.#keys.get(key) !== dirty) continue;
      if (!await this.#makeSafe(key, dirty)) break;
    }
    this.#isRunning = false;
    if (this.#keys.size > 0) this.#schedule(this.#isUrgent ? "now" : "soon");
  }

  /** False when the tier fails. */
  async #makeSafe(key: CacheKey, dirty: DirtyKey): Promise<boolean> {
    const isUnsettled = dirty.unsettled > 0;
    const nowMs = this.#options.clock.now();
    if (isUnsettled && Math.abs(nowMs - dirty.renewedAtMs) < RENEW_MS) return true;
    const isSafe = await this.#putTombstone(key, dirty).then(() => true, () => false);
    // Added again meanwhile: the tombstone may be older than the last change.
    if (this.#keys.get(key) !== dirty) return true;
    this.#keys.delete(key);
    // Back to the end, so that a key that always fails does not hold up the others.
    if (isUnsettled) this.#keys.set(key, isSafe ? { ...dirty, renewedAtMs: nowMs } : dirty);
    else if (!isSafe) this.#keys.set(key, dirty);
    return isSafe;
  }

  /** Rejects when the tier fails. */
  async #putTombstone(key: CacheKey, { unsettled, hasSettled, intent, version }: DirtyKey): Promise<void> {
    const { announce, writeTombstone, newIntent } = this.#options;
    if (unsettled === 0 && !hasSettled) return await writeTombstone(key, intent, version);
    await announce(key, intent);
    if (unsettled === 0 && version !== undefined) await writeTombstone(key, newIntent(), version);
  }
}

function newer(a: Version | undefined, b: Version | undefined): Version | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareVersions(a, b) > 0 ? a : b;
}
