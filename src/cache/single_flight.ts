import { ServiceError } from "../core/errors.ts";
import type { Caller } from "../core/ports.ts";

interface Waiter<T> {
  readonly resolve: (result: T) => void;
  readonly reject: (error: unknown) => void;
}

interface Flight<T> {
  readonly controller: AbortController;
  /** All who have joined, those who have left too: they have been told, and hear nothing more. */
  readonly waiters: Waiter<T>[];
  waiting: number;
  hasEnded: boolean;
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
  readonly #flights = new Map<K, Flight<T>>();

  /** Joins the flight of `key`, or starts one with `work`. Rejects with `cancelled` as soon as the caller has gone. */
  join(key: K, caller: Caller, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (caller.cancelled) return Promise.reject(gone());
    const flight = this.#flights.get(key) ?? this.#start(key, work);
    flight.waiting++;
    return new Promise((resolve, reject) => {
      flight.waiters.push({ resolve, reject });
      caller.whenCancelled(() => {
        if (flight.hasEnded) return;
        reject(gone());
        if (--flight.waiting > 0) return;
        this.#remove(key, flight);
        flight.controller.abort(gone());
      });
    });
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
    const flight: Flight<T> = { controller: new AbortController(), waiters: [], waiting: 0, hasEnded: false };
    this.#flights.set(key, flight);
    work(flight.controller.signal).then(
      (result) => {
        this.#end(key, flight);
        for (const { resolve } of flight.waiters) resolve(result);
      },
      (error) => {
        this.#end(key, flight);
        for (const { reject } of flight.waiters) reject(error);
      },
    );
    return flight;
  }

  #end(key: K, flight: Flight<T>): void {
    flight.hasEnded = true;
    this.#remove(key, flight);
  }

  #remove(key: K, flight: Flight<T>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}

function gone(): ServiceError {
  return new ServiceError("cancelled", "Cannot wait for the answer: the caller has gone");
}
