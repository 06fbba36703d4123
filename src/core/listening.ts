import { type Endpoint, endpointText } from "./endpoint.ts";

const NO_SUCH_ADDRESS =
  "this machine has no such address; choose one that it has, or 0.0.0.0 for all of them";

/** What is wrong with an address, and what helps, by the system's name of the error. Source: bind(2). */
const REASONS = {
  EADDRINUSE: "the address is in use; choose another, or end the program that listens there",
  EADDRNOTAVAIL: NO_SUCH_ADDRESS,
  // What Deno's node:net makes of EADDRNOTAVAIL.
  EINVAL: NO_SUCH_ADDRESS,
  EACCES: "no permission; choose a port above 1023, or permit this one to the process",
} as const;

/** The error of a server that cannot listen, in one line that says what helps. */
export function listenError(endpoint: Endpoint, cause: Error): Error {
  const name = Object.keys(REASONS).find((name): name is keyof typeof REASONS => isNamed(cause, name));
  return new Error(`Cannot listen on ${endpointText(endpoint)}: ${name ? REASONS[name] : cause.message}`, {
    cause,
  });
}

/** Deno's errors have the name as their code, grpc-js's have it in their text. */
function isNamed(error: Error & { readonly code?: unknown }, name: string): boolean {
  return error.code === name || error.message.includes(name);
}

/**
 * Whether an accept has failed because its client had already reset the connection: the next one may be fine. Other
 * failures, such as the lack of a file descriptor, last for a while.
 */
export function isClientGone(error: unknown): boolean {
  return error instanceof Deno.errors.NotConnected || error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.ConnectionReset;
}
