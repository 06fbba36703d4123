/**
 * Makes all keys. A {@link CacheKey} names an entry in every tier, and different entries have different keys: the
 * namespace is escaped so that it holds no separator, and each kind of entry has its own prefix.
 *
 *     namespaced   namespace:<escaped namespace>:<key>      "a:b", "c"  ->  namespace:a%3Ab:c
 *                                                           "a", "b:c"  ->  namespace:a:b:c
 *     secrets      secret:<key>                             "a"         ->  secret:a
 */

declare const made: unique symbol;

/** The name of an entry in every tier; only this file makes one. */
export type CacheKey = string & { readonly [made]: true };

const NAMESPACED_PREFIX = "namespace:";
const SECRET_PREFIX = "secret:";

/** Every key begins with one of these. */
export const KEY_KINDS: readonly string[] = [NAMESPACED_PREFIX, SECRET_PREFIX];

/**
 * The key of a namespaced entry. Different pairs give different keys: an escaped namespace holds no `:`, so the next `:`
 * ends it, and the escaping is reversible because `%` is escaped too.
 */
export function cacheKey(namespace: string, key: string): CacheKey {
  if (namespace !== lastNamespace) {
    lastPrefix = `${NAMESPACED_PREFIX}${escapeNamespace(namespace)}:`;
    lastNamespace = namespace;
  }
  return (lastPrefix + key) as CacheKey;
}

/** A cache of one: most calls use the same namespace as the call before. */
let lastNamespace = "";
let lastPrefix = `${NAMESPACED_PREFIX}:`;

/** The key of a secret. */
export function secretCacheKey(secretId: string): CacheKey {
  return (SECRET_PREFIX + secretId) as CacheKey;
}

/** A key as a store returns it. Text that this service never stored becomes a key that no entry has. */
export function storedCacheKey(text: string): CacheKey {
  return text as CacheKey;
}

/** The secret's own key, as its owner wrote it. Throws a TypeError for any other kind of key. */
export function secretIdOf(key: CacheKey): string {
  if (!key.startsWith(SECRET_PREFIX)) {
    throw new TypeError("Cannot read a secret's key: the entry is not a secret");
  }
  return key.slice(SECRET_PREFIX.length);
}

function escapeNamespace(namespace: string): string {
  // Most namespaces need no escaping: two scans are cheaper than a regular expression's result.
  if (!namespace.includes(":") && !namespace.includes("%")) return namespace;
  return namespace.replaceAll("%", "%25").replaceAll(":", "%3A");
}
