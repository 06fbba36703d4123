import type { CacheKey } from "../core/key.ts";

/** What the fences of one key share while any of them is out. */
interface Cell {
  generation: number;
  fences: number;
}

/**
 * Keeps older things from overwriting newer ones in local memory.
 *
 * Whoever means to put something into memory takes a fence before it looks below. Any set, delete or
 * invalidation of the key voids the fences that are out, and a voided fence fills nothing. The interleaving
 * that this guards against:
 *
 *     get(k)                         del(k)
 *     takes a fence
 *     reads "old" from Redis
 *                                    deletes k in Redis, then in memory; voids the fence; returns OK
 *     fence is void: does not put
 *     "old" back into memory
 *
 * Two writes of one key that overlap void each other, because only the authority knows their order; the next
 * read asks it. A cell exists only while a fence of its key is out.
 */
export class Fences {
  readonly #cells = new Map<CacheKey, Cell>();

  /** Takes a fence. Dispose it once the fill is done or given up. */
  take(key: CacheKey): Fence {
    let cell = this.#cells.get(key);
    if (cell === undefined) {
      cell = { generation: 0, fences: 0 };
      this.#cells.set(key, cell);
    }
    cell.fences++;
    return new Fence(this.#cells, key, cell);
  }

  /** Voids all fences of the key that are out. */
  void(key: CacheKey): void {
    const cell = this.#cells.get(key);
    if (cell !== undefined) cell.generation++;
  }
}

/** One permission to fill; see {@link Fences}. */
export class Fence implements Disposable {
  readonly #cells: Map<CacheKey, Cell>;
  readonly #key: CacheKey;
  readonly #cell: Cell;
  readonly #generation: number;

  constructor(cells: Map<CacheKey, Cell>, key: CacheKey, cell: Cell) {
    this.#cells = cells;
    this.#key = key;
    this.#cell = cell;
    this.#generation = cell.generation;
  }

  /** Whether nothing has happened to the key since the fence was taken. */
  get holds(): boolean {
    return this.#cell.generation === this.#generation;
  }

  [Symbol.dispose](): void {
    if (--this.#cell.fences === 0) this.#cells.delete(this.#key);
  }
}
