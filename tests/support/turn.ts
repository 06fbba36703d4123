/** Resolves once every promise that can settle by itself has settled: at the next turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
