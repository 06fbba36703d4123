import type { CacheKey } from "../core/key.ts";
import { TransientMap } from "./transient_map.ts";

/** What the open fences of one key share. */
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
 * A read or a change that may fill memory takes a fence before it asks a lower tier. Any set, delete or invalidation of
 * the key voids its open fences, and a voided fence fills nothing. This guards against:
 *
 *     get(k)                         del(k)
 *     takes a fence
 *     reads "old" from Redis
 *                                    deletes k in Redis, then in memory; voids the fence; returns OK
 *     fence is void: does not put
 *     "old" back into memory
 *
 * A read that returns also voids the fences, those of changes under way:
 *
 *     set(k, 1)                      get(k)                       set(k, 2) elsewhere
 *     is done in Redis
 *                                                                 is done in Redis
 *                                    reads 2, returns 2
 *     gets the answer; does not
 *     put 1 into memory
 *
 * Two overlapping changes of one key fill nothing either, because only the authority knows their order; the next read
 * asks it. A cell exists only while a fence of its key is open.
 */
export class Fences {
  readonly #cells = new TransientMap<CacheKey, Cell>();

  /** Takes a fence for a read. Dispose of it once the fill is done or given up. */
  take(key: CacheKey): Fence {
    const cell = this.#cell(key);
    return new Fence(cell, cell.generation);
  }

  /** Voids all fences of the key, then takes one for a change; it is void if another change is under way. */
  takeForChange(key: CacheKey): Fence {
    const cell = this.#cell(key);
    cell.generation++;
    cell.changes++;
    return new ChangeFence(cell, cell.changes > 1 ? NEVER : cell.generation);
  }

  /** Voids all open fences of the key. */
  void(key: CacheKey): void {
    const cell = this.#cells.get(key);
    if (cell !== undefined) cell.generation++;
  }

  /** Voids all open fences of all keys. */
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

  /** Like {@link holds}, for a read that answers; also voids all open fences of the key, this one included. */
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
