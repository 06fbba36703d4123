import { ServiceError } from "../core/errors.ts";
import type { CacheKey } from "../core/key.ts";
import type { Caller } from "../core/ports.ts";
import { TransientMap } from "./transient_map.ts";

/** The most changes of one key that wait while another is under way. A further one is refused at once. */
export const MAX_WAITING_CHANGES = 1000;

/** A change as the queue sees it. */
export interface QueuedChange<C> {
  /** What it writes; undefined for a removal. */
  readonly written: C | undefined;
  /** Makes the change; called at most once. */
  make(): Promise<void>;
}

export interface ChangeQueueOptions<C> {
  /** Whether a write of `later` right after one of `earlier` leaves no trace of `earlier`. */
  readonly covers: (later: C, earlier: C) => boolean;
  /** The name of the authority's tier, for errors. */
  readonly tier: string;
}

/** A change that has not begun, with its waiting call. */
interface Waiter<C> {
  readonly change: QueuedChange<C>;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Makes the changes of one key one at a time, so that a hot key holds one connection to the authority and one intent
 * in the shared tier. Changes of different keys do not wait for each other.
 *
 * Waiting changes are concurrent, since none has been answered. So when a change ends, the next one answers all the
 * waiting changes that it covers: they count as having taken effect right before it.
 *
 *     under way    waiting, in the order of arrival       made next     answered by it
 *     set 1        set 2, set 3, set 4                    set 4         2, 3, 4
 *     set 1        set 2, delete, set 3, delete, set 4    delete        2, both deletes, 3
 *     delete       set 2, set 3                           set 3         2, 3
 *
 * A write does not cover a removal, because after it the write makes a new entry. Without partial writes, a change
 * therefore waits for two others at most, however many arrive.
 *
 * A change whose caller leaves before it begins is removed from the queue. A change that has begun runs to its end.
 */
export class ChangeQueue<C> {
  readonly #options: ChangeQueueOptions<C>;
  /** The waiting changes of each key that has a change under way. */
  readonly #waiting = new TransientMap<CacheKey, Set<Waiter<C>>>();

  constructor(options: ChangeQueueOptions<C>) {
    this.#options = options;
  }

  /**
   * Makes the change, at once if no other change of the key is under way. Settles as it does, or as the one that covers
   * it. Rejects without making it: with `cancelled` when the caller leaves before it begins, and with
   * `store_unavailable` when too many changes wait already.
   */
  run(key: CacheKey, caller: Caller, change: QueuedChange<C>): Promise<void> {
    if (caller.cancelled) return Promise.reject(gone());
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) {
      const none = new Set<Waiter<C>>();
      this.#waiting.add(key, none);
      return this.#make(key, none, change);
    }
    if (waiting.size >= MAX_WAITING_CHANGES) return Promise.reject(this.#full());
    return new Promise((resolve, reject) => {
      const waiter = { change, resolve, reject };
      waiting.add(waiter);
      caller.whenCancelled(() => {
        if (waiting.delete(waiter)) reject(gone());
      });
    });
  }

  /** Makes a change and, once it has ended, the waiting ones. */
  async #make(key: CacheKey, waiting: Set<Waiter<C>>, change: QueuedChange<C>): Promise<void> {
    try {
      await change.make();
    } finally {
      this.#next(key, waiting);
    }
  }

  #next(key: CacheKey, waiting: Set<Waiter<C>>): void {
    const covered = this.#takeCovered(waiting);
    const last = covered.at(-1);
    if (last === undefined) return this.#waiting.delete(key);
    this.#make(key, waiting, last.change).then(
      () => covered.forEach((waiter) => waiter.resolve()),
      (error) => covered.forEach((waiter) => waiter.reject(error)),
    );
  }

  /** Takes out the longest run of changes, from the first one on, that its last change covers. */
  #takeCovered(waiting: Set<Waiter<C>>): Waiter<C>[] {
    const waiters = [...waiting];
    let uncovered: QueuedChange<C>[] = [];
    let count = 0;
    for (const [index, { change }] of waiters.entries()) {
      uncovered = uncovered.filter((earlier) => !this.#covers(change, earlier));
      uncovered.push(change);
      if (uncovered.length === 1) count = index + 1;
    }
    const covered = waiters.slice(0, count);
    for (const waiter of covered) waiting.delete(waiter);
    return covered;
  }

  #covers({ written: later }: QueuedChange<C>, { written: earlier }: QueuedChange<C>): boolean {
    if (later === undefined) return true;
    return earlier !== undefined && this.#options.covers(later, earlier);
  }

  #full(): ServiceError {
    const { tier } = this.#options;
    const text =
      `Cannot change the entry: ${MAX_WAITING_CHANGES} changes of its key are waiting, expected fewer`;
    return new ServiceError("store_unavailable", text, { tier, hadNoEffect: true });
  }
}

function gone(): ServiceError {
  return new ServiceError("cancelled", "Cannot make the change: the caller has left", { hadNoEffect: true });
}
