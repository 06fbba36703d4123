/**
 * A node's answer in place of executing a command: another node owns the slot (MOVED); another node already has this key
 * of a migrating slot (ASK); or the command's keys are split between two nodes (TRYAGAIN).
 *
 * MOVED and ASK also name an endpoint: an address, a host name that may not resolve here, nothing or `?`, depending on
 * `cluster-preferred-endpoint-type`. It is ignored: CLUSTER NODES of the same node gives an address.
 */
export type Redirect = "moved" | "ask" | "again";

const REDIRECTS: Readonly<Record<string, Redirect>> = { MOVED: "moved", ASK: "ask", TRYAGAIN: "again" };

/** The redirect that a command's error means, or undefined. */
export function redirectOf(error: unknown): Redirect | undefined {
  if (!(error instanceof Error)) return undefined;
  const [word = ""] = error.message.split(" ", 1);
  return Object.hasOwn(REDIRECTS, word) ? REDIRECTS[word] : undefined;
}
