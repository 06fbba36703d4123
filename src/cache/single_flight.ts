import { ServiceError } from "../core/errors.ts";
import type { Caller } from "../core/ports.ts";
import { TransientMap } from "./transient_map.ts";

/** Somebody who has joined. */
interface Waiter<T> {
  resolve(result: T): void;
  reject(error: unknown): void;
}

/** One piece of work and all who wait for it. */
class Flight<T> {
  readonly #controller = new AbortController();
  readonly #waiters: Waiter<T>[] = [];
  #hasEnded = false;

  /** Aborts when the last waiter has left. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  enter(waiter: Waiter<T>): void {
    this.#waiters.push(waiter);
  }

  /** Lets a waiter go before the end; returns how many still wait, or undefined if the work has ended. */
  leave(waiter: Waiter<T>): number | undefined {
    if (this.#hasEnded) return undefined;
    this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
    waiter.reject(gone());
    return this.#waiters.length;
  }

  abort(): void {
    this.#controller.abort(gone());
  }

  resolve(result: T): void {
    this.#hasEnded = true;
    for (const waiter of this.#waiters) waiter.resolve(result);
  }

  reject(error: unknown): void {
    this.#hasEnded = true;
    for (const waiter of this.#waiters) waiter.reject(error);
  }
}

/**
 * Makes concurrent callers of one key share one piece of work.
 *
 * The work runs on its own signal, never on the first caller's: a caller that leaves takes nothing from those
 * who stay, and the work is aborted when the last one has left. Nobody joins work that was forgotten: whoever
 * changes the key forgets its flight, so that a read that begins after the change cannot get what was read
 * before it.
 */
export class SingleFlight<K, T> {
  readonly #flights = new TransientMap<K, Flight<T>>();

  /**
   * Joins the flight of `key`, or starts one with `work`; resolves to what `answer` makes of its result. Rejects with
   * `cancelled` as soon as the caller has gone.
   */
  join<R>(
    key: K,
    caller: Caller,
    work: (signal: AbortSignal) => Promise<T>,
    answer: (result: T) => R,
  ): Promise<R> {
    if (caller.cancelled) return Promise.reject(gone());
    const flight = this.#flights.get(key) ?? this.#start(key, work);
    return new Promise((resolve, reject) => {
      const waiter = {
        resolve(result: T): void {
          try {
            resolve(answer(result));
          } catch (error) {
            reject(error);
          }
        },
        reject,
      };
      flight.enter(waiter);
      caller.whenCancelled(() => {
        if (flight.leave(waiter) !== 0) return;
        this.#remove(key, flight);
        flight.abort();
      });
    });
  }

  /** Whether the next caller of `key` would join a flight. */
  has(key: K): boolean {
    return this.#flights.get(key) !== undefined;
  }

  /** Lets the flight of `key` end for those who are in it; the next caller starts a new one. */
  forget(key: K): void {
    this.#flights.delete(key);
  }

  /** Like {@link forget}, of every key. */
  forgetAll(): void {
    this.#flights.clear();
  }

  #start(key: K, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const flight = new Flight<T>();
    this.#flights.add(key, flight);
    work(flight.signal).then(
      (result) => {
        this.#remove(key, flight);
        flight.resolve(result);
      },
      (error) => {
        this.#remove(key, flight);
        flight.reject(error);
      },
    );
    return flight;
  }

  #remove(key: K, flight: Flight<T>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}

function gone(): ServiceError {
  return new ServiceError("cancelled", "Cannot wait for the answer: the caller has gone");
}
