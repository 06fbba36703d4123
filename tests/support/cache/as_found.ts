/** The response of a test to what a read has found: just that. */
export function asFound<T>(found: T): T {
  return found;
}
