import type { Clock, Timer } from "../core/clock.ts";
import type { CacheKey } from "../core/key.ts";
import { compareVersions, type Version } from "../core/version.ts";

/** How often a key that could not be made safe is tried again. */
const RETRY_MS = 1000;

/** How often the tombstone of an unsettled key is renewed: several times before it ends, a minute after the last. */
const RENEW_MS = 10_000;

/** How many keys are remembered one by one. */
const MAX_KEYS = 10_000;

/** One addition of a key; a later one is another object. */
interface DirtyKey {
  /** The newest version that the tier may not know of, where it is known. */
  readonly version: Version | undefined;
  /** How many changes of the key may still take effect. */
  readonly unsettled: number;
  /** Whether one that could has settled since. */
  readonly hasSettled: boolean;
  /** The intent of the tombstone that those need. */
  readonly intent: string;
  /** When that was last renewed. */
  readonly renewedAtMs: number;
}

/** What {@link DirtyKeys} does to the tier, and whom it tells. */
export interface DirtyKeysOptions {
  readonly clock: Clock;
  /**
   * Gives the intent up. Resolves once the tier holds nothing under the key that could be read, nor takes anything
   * older than the version.
   */
  readonly writeTombstone: (key: CacheKey, intent: string, version: Version | undefined) => Promise<void>;
  /** Resolves once the tier has a tombstone that nothing replaces before this intent is given up, or a minute is over. */
  readonly announce: (key: CacheKey, intent: string) => Promise<unknown>;
  readonly newIntent: () => string;
  /** A change of the key has come to its end, who knows which. */
  readonly onSettled: (key: CacheKey) => void;
  /** There are too many keys, and the oldest is forgotten. */
  readonly onOverflow: () => void;
}

/**
 * The keys under which a shared tier may still hold what is no longer true, because it was out of reach when
 * this process changed them. They are not read there until they have been made safe, which is tried each second.
 * What this process learns late or takes to its grave, the {@link Outbox} has.
 *
 * A key is unsettled while a change of it may still take effect. The tier then has a tombstone for as long as that
 * lasts. The interleaving that this guards against:
 *
 *     A                               the database           B
 *     announces, writes v2            stalls in the commit
 *     no answer in time
 *     the tombstone ends
 *                                                            reads v1, copies it into the tier
 *                                     has v2
 *                                                            serves v1 for good
 *
 * Once the change has settled, its tombstone ends by itself, a minute later: its version is unknown, and so it cannot
 * outrank what another replica wrote before it and publishes after it.
 *
 *     A                               the database           B
 *     v3 waits for the row's lock     has v2                 has written v2
 *     no answer in time
 *                                     has v3
 *     hears that it has settled
 *                                                            publishes v2
 */
export class DirtyKeys implements Disposable {
  readonly #options: DirtyKeysOptions;
  readonly #keys = new Map<CacheKey, DirtyKey>();
  #timer: Timer | undefined;
  #isRunning = false;
  /** Whether the next round is wanted at once. */
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
    const distrust = this.#keys.get(key);
    return distrust !== undefined && distrust.unsettled > 0;
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

  /** Trusts the key again, unless it is unsettled: another change has made it safe. */
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
    // To the end, so that the first is the one which was named longest ago.
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
    // One after the other: the first failure says that the tier is still away, and ends the round.
    for (const [key, distrust] of [...this.#keys]) {
      if (this.#keys.get(key) !== distrust) continue;
      if (!await this.#makeSafe(key, distrust)) break;
    }
    this.#isRunning = false;
    if (this.#keys.size > 0) this.#schedule(this.#isUrgent ? "now" : "soon");
  }

  /** False when the tier fails. */
  async #makeSafe(key: CacheKey, distrust: DirtyKey): Promise<boolean> {
    const isUnsettled = distrust.unsettled > 0;
    const nowMs = this.#options.clock.now();
    if (isUnsettled && Math.abs(nowMs - distrust.renewedAtMs) < RENEW_MS) return true;
    const isSafe = await this.#tell(key, distrust).then(() => true, () => false);
    // Added again: what was made safe is older than the last change, and may not be so any more.
    if (this.#keys.get(key) !== distrust) return true;
    this.#keys.delete(key);
    // Back to the end, so that a key that always fails keeps no other from its turn.
    if (isUnsettled) this.#keys.set(key, isSafe ? { ...distrust, renewedAtMs: nowMs } : distrust);
    else if (!isSafe) this.#keys.set(key, distrust);
    return isSafe;
  }

  /** Rejects when the tier fails. */
  async #tell(key: CacheKey, { unsettled, hasSettled, intent, version }: DirtyKey): Promise<void> {
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
