/**
 * The one place where keys are made. A {@link CacheKey} names an entry in every tier, so two different
 * entries never share one: the namespace is escaped until it holds no separator, and each kind of entry
 * begins with its own word.
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

/** What every key begins with, one or the other. */
export const KEY_KINDS: readonly string[] = [NAMESPACED_PREFIX, SECRET_PREFIX];

/**
 * The key of a namespaced entry. Different pairs give different keys: an escaped namespace holds no `:`, so
 * the first `:` behind it ends it, and the escaping is reversible because `%` is escaped too.
 */
export function cacheKey(namespace: string, key: string): CacheKey {
  if (namespace !== lastNamespace) {
    lastPrefix = `${NAMESPACED_PREFIX}${escapeNamespace(namespace)}:`;
    lastNamespace = namespace;
  }
  return (lastPrefix + key) as CacheKey;
}

/** Most calls are for the namespace of the call before. */
let lastNamespace = "";
let lastPrefix = `${NAMESPACED_PREFIX}:`;

/** The key of a secret. */
export function secretCacheKey(secretId: string): CacheKey {
  return (SECRET_PREFIX + secretId) as CacheKey;
}

/** The key as a store gives it back; of what this service never stored, one that no entry has. */
export function storedCacheKey(text: string): CacheKey {
  return text as CacheKey;
}

/** The secret's own key, as its owner wrote it. Throws a TypeError for the key of anything else. */
export function secretIdOf(key: CacheKey): string {
  if (!key.startsWith(SECRET_PREFIX)) {
    throw new TypeError("Cannot read a secret's key: the entry is no secret");
  }
  return key.slice(SECRET_PREFIX.length);
}

function escapeNamespace(namespace: string): string {
  // Most namespaces need no escaping: two scans are cheaper than a regular expression's result.
  if (!namespace.includes(":") && !namespace.includes("%")) return namespace;
  return namespace.replaceAll("%", "%25").replaceAll(":", "%3A");
}
