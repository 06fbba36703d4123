import { ServiceError } from "../core/errors.ts";

interface Flight<T> {
  readonly promise: Promise<T>;
  readonly controller: AbortController;
  waiters: number;
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

  /** Joins the flight of `key`, or starts one with `work`. Rejects with `cancelled` as soon as `signal` aborts. */
  join(key: K, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (signal.aborted) return Promise.reject(gone(signal));
    const flight = this.#flights.get(key) ?? this.#start(key, work);
    flight.waiters++;
    return new Promise((resolve, reject) => {
      const leave = () => {
        if (--flight.waiters === 0) {
          this.#remove(key, flight);
          flight.controller.abort(gone(signal));
        }
        reject(gone(signal));
      };
      signal.addEventListener("abort", leave, { once: true });
      flight.promise.then(
        (value) => {
          signal.removeEventListener("abort", leave);
          resolve(value);
        },
        (error) => {
          signal.removeEventListener("abort", leave);
          reject(error);
        },
      );
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
    const controller = new AbortController();
    const flight: Flight<T> = { promise: work(controller.signal), controller, waiters: 0 };
    this.#flights.set(key, flight);
    const remove = () => this.#remove(key, flight);
    flight.promise.then(remove, remove);
    return flight;
  }

  #remove(key: K, flight: Flight<T>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}

function gone(signal: AbortSignal): ServiceError {
  return new ServiceError("cancelled", "Cannot wait for the answer: the caller has gone", {
    cause: signal.reason,
  });
}
