import type { Clock, Timer } from "../core/clock.ts";
import type { CacheKey } from "../core/key.ts";

/** How often a key that could not be made safe is tried again. */
const RETRY_MS = 1000;

/**
 * The keys under which a shared tier may still hold what is no longer true, because it was out of reach when
 * they were changed. Nobody reads them there until they have been made safe, which is tried each second.
 */
export class DistrustedKeys implements Disposable {
  readonly #clock: Clock;
  readonly #makeSafe: (key: CacheKey) => Promise<void>;
  /** Each key with the number of the addition that it was last named in. */
  readonly #keys = new Map<CacheKey, number>();
  #additions = 0;
  #timer: Timer | undefined;

  /** `makeSafe` resolves once the tier holds nothing under the key that could be read. */
  constructor(clock: Clock, makeSafe: (key: CacheKey) => Promise<void>) {
    this.#clock = clock;
    this.#makeSafe = makeSafe;
  }

  has(key: CacheKey): boolean {
    return this.#keys.has(key);
  }

  add(key: CacheKey): void {
    this.#keys.set(key, ++this.#additions);
    this.#schedule();
  }

  /** Trusts the key again: somebody else has put a tombstone there. */
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
    for (const [key, addition] of [...this.#keys]) {
      if (this.#keys.get(key) !== addition) continue;
      const safe = await this.#makeSafe(key).then(() => true, () => false);
      // Added again: what was made safe is older than the last change, and may not be so any more.
      if (this.#keys.get(key) !== addition) continue;
      this.#keys.delete(key);
      if (safe) continue;
      // Back to the end, so that a key that always fails keeps no other from its turn.
      this.#keys.set(key, addition);
      break;
    }
    this.#timer = undefined;
    if (this.#keys.size > 0) this.#schedule();
  }
}
