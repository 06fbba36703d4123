import { systemClock } from "../core/clock.ts";
import { printError } from "./print.ts";

/** The signals that stop the service, with their numbers. Source: signal(7). */
const STOP_SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/** A signal that stops the service. */
export type StopSignal = keyof typeof STOP_SIGNALS;

/** Shells report a process that a signal ended by this plus the signal's number. */
const SIGNAL_EXIT_CODE = 128;

/** Signals this close together count as one: a terminal and the task runner both forward the same Ctrl-C. */
const ONE_SIGNAL_MS = 250;

/**
 * Resolves to the first signal that stops the service. A later one ends the process at once, with exit code 128 plus
 * its number.
 */
export function stopSignal(): Promise<StopSignal> {
  const { promise, resolve } = Promise.withResolvers<StopSignal>();
  let first: { readonly signal: StopSignal; readonly atMs: number } | undefined;
  const onSignal = (signal: StopSignal) => {
    const atMs = systemClock.now();
    if (first === undefined) {
      first = { signal, atMs };
      resolve(signal);
    } else if (Math.abs(atMs - first.atMs) > ONE_SIGNAL_MS) {
      try {
        printError(`cacheserver: ${signal} during the drain that ${first.signal} began: ended at once`);
      } finally {
        Deno.exit(SIGNAL_EXIT_CODE + STOP_SIGNALS[signal]);
      }
    }
  };
  for (const signal of Object.keys(STOP_SIGNALS) as StopSignal[]) {
    Deno.addSignalListener(signal, () => onSignal(signal));
  }
  return promise;
}
