/** How a program ends that a signal has interrupted: with 128 and the signal's number, as a shell says it. */
export const INTERRUPTED_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

type Interruption = keyof typeof INTERRUPTED_CODES;

/** Who starts a program may pass on to it what its whole process group has got: that is one signal, not two. */
const SAME_SIGNAL_MS = 300;

/**
 * Runs a program's work, whose signal SIGINT and SIGTERM abort, so that it stops what it has started. Resolves to its
 * exit code, or to that of the interruption whatever the work has come to. A second one ends the process at once.
 */
export async function interruptible(
  work: (signal: AbortSignal) => Promise<number>,
  report: (text: string) => void,
): Promise<number> {
  const controller = new AbortController();
  let code: number | undefined;
  let interruptedAtMs = 0;
  for (const signal of Object.keys(INTERRUPTED_CODES) as Interruption[]) {
    Deno.addSignalListener(signal, () => {
      if (code === undefined) {
        code = INTERRUPTED_CODES[signal];
        interruptedAtMs = performance.now();
        report(`Interrupted by ${signal}`);
        controller.abort();
      } else if (performance.now() - interruptedAtMs > SAME_SIGNAL_MS) Deno.exit(INTERRUPTED_CODES[signal]);
    });
  }
  try {
    const workCode = await work(controller.signal);
    return code ?? workCode;
  } catch (error) {
    if (code === undefined) throw error;
    return code;
  }
}
