import { ServiceError } from "../core/errors.ts";
import type { Caller } from "../core/ports.ts";
import { TransientMap } from "./transient_map.ts";

interface Waiter<T> {
  resolve(result: T): void;
  reject(error: unknown): void;
}

/** One piece of work and its waiting callers. */
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

  /** Rejects a waiter before the end; returns how many still wait, or undefined if the work has ended. */
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
 * Concurrent callers of one key share one piece of work.
 *
 * The work has its own signal, not the first caller's: it goes on while any caller waits, and is aborted when the last
 * one has left. Each change of a key forgets its flight, and later callers start a new one: a read that begins after the
 * change cannot get what was read before it.
 */
export class SingleFlight<K, T> {
  readonly #flights = new TransientMap<K, Flight<T>>();

  /**
   * Joins the flight of `key`, or starts one with `work`. Resolves to what `respond` makes of its result; rejects with
   * `cancelled` as soon as the caller has left.
   */
  join<R>(
    key: K,
    caller: Caller,
    work: (signal: AbortSignal) => Promise<T>,
    respond: (result: T) => R,
  ): Promise<R> {
    if (caller.cancelled) return Promise.reject(gone());
    const flight = this.#flights.get(key) ?? this.#start(key, work);
    return new Promise((resolve, reject) => {
      const waiter = {
        resolve(result: T): void {
          try {
            resolve(respond(result));
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

  /** The flight of `key` ends only for its present callers; the next caller starts a new one. */
  forget(key: K): void {
    this.#flights.delete(key);
  }

  /** Like {@link forget}, for every key. */
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
  return new ServiceError("cancelled", "Cannot wait for the answer: the caller has left");
}
