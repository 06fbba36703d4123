import { systemClock } from "../core/clock.ts";
import { printError } from "./print.ts";

/** The signals that stop the service, with their numbers. Source: signal(7). */
const STOP_SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/** A signal that stops the service. */
export type StopSignal = keyof typeof STOP_SIGNALS;

/** As shells report a process that a signal has ended. */
const SIGNAL_EXIT_CODE = 128;

/** Signals this close together are one: a terminal and the task runner both pass the same Ctrl-C on. */
const ONE_SIGNAL_MS = 250;

/**
 * Resolves to the first signal that asks the service to stop. A later one ends the process at once, with exit code
 * 128 plus its number.
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
