/** How long and for what {@link waitFor} waits. */
export interface WaitOptions {
  /** What is awaited, for the error: "Redis to answer". */
  readonly what: string;
  readonly timeoutMs?: number;
  /** The pause between two looks at the condition. */
  readonly intervalMs?: number;
}

/**
 * Looks at `condition` until it gives a value other than undefined, null or false, and resolves to that value.
 * A condition that throws counts as not met; its last error is the cause of the one thrown at the deadline.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { what, timeoutMs = 5_000, intervalMs = 10 }: WaitOptions,
): Promise<Exclude<T, undefined | null | false>> {
  const deadline = performance.now() + timeoutMs;
  let cause: unknown;
  do {
    try {
      const value = await condition();
      if (isMet(value)) return value;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  } while (performance.now() < deadline);
  throw new Error(`Waited ${timeoutMs} ms in vain for ${what}`, { cause });
}

function isMet<T>(value: T): value is Exclude<T, undefined | null | false> {
  return value !== undefined && value !== null && value !== false;
}
