/**
 * What a node of a cluster answers instead of executing a command: another node has the key's slot; another one has
 * this key of a slot that is being moved; or the command's keys are in two places for a moment.
 *
 * MOVED and ASK also name an endpoint, which is an address, a host name that may not resolve here, nothing or `?`, as
 * `cluster-preferred-endpoint-type` says. It is not read: the node that answered tells the same by CLUSTER NODES, with
 * an address.
 */
export type Redirect = "moved" | "ask" | "again";

const REDIRECTS: Readonly<Record<string, Redirect>> = { MOVED: "moved", ASK: "ask", TRYAGAIN: "again" };

/** The redirect that an error of a command is; undefined for any other. */
export function redirectOf(error: unknown): Redirect | undefined {
  if (!(error instanceof Error)) return undefined;
  const [word = ""] = error.message.split(" ", 1);
  return Object.hasOwn(REDIRECTS, word) ? REDIRECTS[word] : undefined;
}
