/**
 * What a node of a cluster answers instead of executing a command: another node has the key's slot; another one has
 * this key of a slot that is being moved; or the command's keys are in two places for a moment.
 */
export type Redirect =
  | { readonly kind: "moved" }
  | { readonly kind: "ask"; readonly name: string }
  | { readonly kind: "again" };

/** The redirect that an error of a command is; undefined for any other. */
export function redirectOf(error: unknown): Redirect | undefined {
  if (!(error instanceof Error)) return undefined;
  const [word, , name] = error.message.split(" ");
  if (word === "MOVED") return { kind: "moved" };
  if (word === "ASK" && name !== undefined) return { kind: "ask", name };
  return word === "TRYAGAIN" ? { kind: "again" } : undefined;
}
