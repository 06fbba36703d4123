import type { CacheKey } from "../core/key.ts";
import { TransientMap } from "./transient_map.ts";

/** What the fences of one key share while any of them is out. */
class Cell {
  generation = 0;
  changes = 0;
  readonly #cells: TransientMap<CacheKey, Cell>;
  readonly #key: CacheKey;
  #fences = 0;

  constructor(cells: TransientMap<CacheKey, Cell>, key: CacheKey) {
    this.#cells = cells;
    this.#key = key;
    cells.add(key, this);
  }

  enter(): void {
    this.#fences++;
  }

  leave(): void {
    if (--this.#fences === 0) this.#cells.delete(this.#key);
  }
}

/** The generation of a fence that never holds. */
const NEVER = -1;

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
 * A read that returns voids the fences too, those of changes under way:
 *
 *     set(k, 1)                      get(k)                       set(k, 2) elsewhere
 *     is done in Redis
 *                                                                 is done in Redis
 *                                    reads 2, returns 2
 *     hears that it is done; does
 *     not put 1 into memory
 *
 * Two changes of one key that overlap fill nothing either, because only the authority knows their order; the
 * next read asks it. A cell exists only while a fence of its key is out.
 */
export class Fences {
  readonly #cells = new TransientMap<CacheKey, Cell>();

  /** Takes a fence for a read. Dispose it once the fill is done or given up. */
  take(key: CacheKey): Fence {
    const cell = this.#cell(key);
    return new Fence(cell, cell.generation);
  }

  /** Voids all fences of the key and takes one for a change, void if another change is under way. */
  takeForChange(key: CacheKey): Fence {
    const cell = this.#cell(key);
    cell.generation++;
    cell.changes++;
    return new ChangeFence(cell, cell.changes > 1 ? NEVER : cell.generation);
  }

  /** Voids all fences of the key that are out. */
  void(key: CacheKey): void {
    const cell = this.#cells.get(key);
    if (cell !== undefined) cell.generation++;
  }

  /** Voids all fences of all keys that are out. */
  voidAll(): void {
    for (const cell of this.#cells.values()) cell.generation++;
  }

  #cell(key: CacheKey): Cell {
    const cell = this.#cells.get(key) ?? new Cell(this.#cells, key);
    cell.enter();
    return cell;
  }
}

/** One permission to fill; see {@link Fences}. */
export class Fence implements Disposable {
  protected readonly cell: Cell;
  readonly #generation: number;

  constructor(cell: Cell, generation: number) {
    this.cell = cell;
    this.#generation = generation;
  }

  /** Whether nothing has happened to the key since the fence was taken. */
  get holds(): boolean {
    return this.cell.generation === this.#generation;
  }

  /** Like {@link holds}, for a read that answers; voids all fences of the key that are out, this one too. */
  use(): boolean {
    if (!this.holds) return false;
    this.cell.generation++;
    return true;
  }

  [Symbol.dispose](): void {
    this.cell.leave();
  }
}

class ChangeFence extends Fence {
  override [Symbol.dispose](): void {
    this.cell.changes--;
    super[Symbol.dispose]();
  }
}
