/** One kind of access in a permission set of deno.json: all, none, a list, or allowed, denied and ignored lists. */
type Permission = boolean | readonly string[] | {
  readonly allow?: boolean | readonly string[];
  readonly deny?: boolean | readonly string[];
  readonly ignore?: boolean | readonly string[];
};

/** The permissions of a set by kind: `net`, `read`. */
export type PermissionSet = Readonly<Record<string, Permission>>;

/**
 * The flags that equal a permission set. `deno compile` takes the set itself too, but resolves its relative paths on the
 * machine that compiles; in a flag they stay relative to the folder that the program is started in.
 */
export function permissionFlags(set: PermissionSet): string[] {
  return Object.entries(set).flatMap(([kind, permission]) => {
    const byVerb = typeof permission === "object" && !Array.isArray(permission)
      ? permission
      : { allow: permission };
    return Object.entries(byVerb).flatMap(([verb, scope]) => {
      if (scope === true) return [`--${verb}-${kind}`];
      // A flag without a list would allow all.
      return scope === false || scope.length === 0 ? [] : [`--${verb}-${kind}=${scope.join(",")}`];
    });
  });
}
