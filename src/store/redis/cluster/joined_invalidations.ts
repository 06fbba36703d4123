import type { CacheKey } from "../../../core/key.ts";
import type { Invalidations } from "../../../core/ports.ts";

/** One of several joined sources. */
export interface InvalidationSource extends Invalidations {
  /** Removes the source: the target no longer depends on it. */
  leave(): void;
}

/**
 * Joins several sources of invalidations. The target is resumed while every source is, and confirmed as of the oldest
 * confirmation.
 *
 *     A       resume   confirm   confirm   confirm   suspend
 *     B                resume    confirm   confirm
 *     target           resume    confirm   confirm   suspend
 */
export class JoinedInvalidations {
  readonly #target: Invalidations;
  /** The last confirmation of each source; undefined while it is suspended. */
  readonly #confirmedAtMs = new Map<InvalidationSource, number | undefined>();
  #isOpen = false;

  constructor(target: Invalidations) {
    this.#target = target;
  }

  /** Adds a source. The target stays suspended until this source resumes too. */
  join(): InvalidationSource {
    const source: InvalidationSource = {
      invalidate: (key: CacheKey) => this.#target.invalidate(key),
      invalidateAll: () => this.#target.invalidateAll(),
      suspend: () => {
        if (this.#confirmedAtMs.has(source)) this.#set(source, undefined);
      },
      resume: (atMs) => {
        if (!this.#confirmedAtMs.has(source)) return;
        this.#set(source, atMs);
        this.#resume();
      },
      confirm: (atMs) => {
        if (this.#confirmedAtMs.get(source) === undefined) return;
        this.#confirmedAtMs.set(source, atMs);
        if (this.#isOpen) this.#target.confirm(this.#oldestMs());
      },
      leave: () => {
        this.#confirmedAtMs.delete(source);
        if (!this.#isOpen) this.#resume();
      },
    };
    this.#set(source, undefined);
    return source;
  }

  #set(source: InvalidationSource, atMs: number | undefined): void {
    this.#confirmedAtMs.set(source, atMs);
    if (atMs !== undefined || !this.#isOpen) return;
    this.#isOpen = false;
    this.#target.suspend();
  }

  #resume(): void {
    const sources = [...this.#confirmedAtMs.values()];
    if (sources.length === 0 || sources.includes(undefined)) return;
    this.#isOpen = true;
    this.#target.resume(this.#oldestMs());
  }

  #oldestMs(): number {
    return Math.min(...[...this.#confirmedAtMs.values()].map((atMs) => atMs ?? -Infinity));
  }
}
