/**
 * Whether an accept has failed because its client had already reset the connection: the next one may be fine. Other
 * failures, such as the lack of a file descriptor, last for a while.
 */
export function isClientGone(error: unknown): boolean {
  return error instanceof Deno.errors.NotConnected || error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.ConnectionReset;
}
