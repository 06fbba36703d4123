/** The exit code of a program that a signal has interrupted: 128 plus the signal's number, as in a shell. */
export const INTERRUPTED_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

type Interruption = keyof typeof INTERRUPTED_CODES;

/** A parent may forward a signal that the whole process group already got: both count as one. */
const SAME_SIGNAL_MS = 300;

/**
 * Runs a program's work; SIGINT and SIGTERM abort its AbortSignal, so that it stops what it has started. Resolves to its
 * exit code, or to its {@link INTERRUPTED_CODES} after an interruption. A second signal ends the process at once.
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
