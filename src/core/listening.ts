import { type Endpoint, endpointText } from "./endpoint.ts";

const NO_SUCH_ADDRESS =
  "this machine has no such address; choose one that it has, or 0.0.0.0 for all of them";

/** What is wrong with an address and what to do, by the system's error name. Source: bind(2). */
const REASONS = {
  EADDRINUSE: "the address is in use; choose another, or end the program that listens there",
  EADDRNOTAVAIL: NO_SUCH_ADDRESS,
  // Deno's node:net reports EADDRNOTAVAIL as this.
  EINVAL: NO_SUCH_ADDRESS,
  EACCES: "no permission; choose a port above 1023, or allow the process to use this one",
} as const;

/** The error of a server that cannot listen, as one line with the remedy. */
export function listenError(endpoint: Endpoint, cause: Error): Error {
  const name = Object.keys(REASONS).find((name): name is keyof typeof REASONS => isNamed(cause, name));
  return new Error(`Cannot listen on ${endpointText(endpoint)}: ${name ? REASONS[name] : cause.message}`, {
    cause,
  });
}

/** Deno's errors have the name as their code, those of grpc-js in their text. */
function isNamed(error: Error & { readonly code?: unknown }, name: string): boolean {
  return error.code === name || error.message.includes(name);
}

/**
 * Whether an accept failed because the client had already reset the connection, so that the next one may succeed. Other
 * failures, such as the lack of a file descriptor, last for a while.
 */
export function isClientGone(error: unknown): boolean {
  return error instanceof Deno.errors.NotConnected || error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.ConnectionReset;
}
