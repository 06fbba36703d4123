import type { Clock, Timer } from "../core/clock.ts";
import type { CacheKey } from "../core/key.ts";
import { compareVersions, type Version } from "../core/version.ts";

/** How often a key that could not be made safe is tried again. */
const RETRY_MS = 1000;

/** How many keys are remembered one by one. */
const MAX_KEYS = 10_000;

/** One addition of a key; a later one is another object. */
interface Distrust {
  /** The newest version that the tier may not know of, where it is known. */
  readonly version: Version | undefined;
}

/**
 * The keys under which a shared tier may still hold what is no longer true, because it was out of reach when
 * this process changed them. They are not read there until they have been made safe, which is tried each second.
 * What this process learns late or takes to its grave, the {@link Outbox} has.
 */
export class DistrustedKeys implements Disposable {
  readonly #clock: Clock;
  readonly #makeSafe: (key: CacheKey, version: Version | undefined) => Promise<void>;
  readonly #onOverflow: () => void;
  readonly #keys = new Map<CacheKey, Distrust>();
  #timer: Timer | undefined;

  /**
   * `makeSafe` resolves once the tier holds nothing under the key that could be read, nor takes anything older
   * than the version. `onOverflow` is called when there are too many keys, and the oldest is forgotten.
   */
  constructor(
    clock: Clock,
    makeSafe: (key: CacheKey, version: Version | undefined) => Promise<void>,
    onOverflow: () => void,
  ) {
    this.#clock = clock;
    this.#makeSafe = makeSafe;
    this.#onOverflow = onOverflow;
  }

  has(key: CacheKey): boolean {
    return this.#keys.has(key);
  }

  add(key: CacheKey, version?: Version): void {
    const known = this.#keys.get(key)?.version;
    // To the end, so that the first is the one which was named longest ago.
    this.#keys.delete(key);
    this.#keys.set(key, { version: newer(known, version) });
    if (this.#keys.size > MAX_KEYS) {
      const [oldest] = this.#keys.keys();
      if (oldest !== undefined) this.#keys.delete(oldest);
      this.#onOverflow();
    }
    this.#schedule();
  }

  /** Trusts the key again: another change has made it safe. */
  delete(key: CacheKey): void {
    this.#keys.delete(key);
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#keys.clear();
  }

  #schedule(): void {
    this.#timer ??= this.#clock.setTimer(() => this.#retry(), RETRY_MS, "background");
  }

  async #retry(): Promise<void> {
    // One after the other: the first failure says that the tier is still away, and ends the round.
    for (const [key, distrust] of [...this.#keys]) {
      if (this.#keys.get(key) !== distrust) continue;
      const safe = await this.#makeSafe(key, distrust.version).then(() => true, () => false);
      // Added again: what was made safe is older than the last change, and may not be so any more.
      if (this.#keys.get(key) !== distrust) continue;
      this.#keys.delete(key);
      if (safe) continue;
      // Back to the end, so that a key that always fails keeps no other from its turn.
      this.#keys.set(key, distrust);
      break;
    }
    this.#timer = undefined;
    if (this.#keys.size > 0) this.#schedule();
  }
}

function newer(a: Version | undefined, b: Version | undefined): Version | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareVersions(a, b) > 0 ? a : b;
}
