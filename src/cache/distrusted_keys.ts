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
  readonly #keys = new Set<CacheKey>();
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
    this.#keys.add(key);
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
    for (const key of [...this.#keys]) {
      try {
        await this.#makeSafe(key);
      } catch {
        break;
      }
      this.#keys.delete(key);
    }
    this.#timer = undefined;
    if (this.#keys.size > 0) this.#schedule();
  }
}
