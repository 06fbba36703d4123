import type { CacheKey } from "../../core/key.ts";

/**
 * Where the lease of a secret's key lies: under another key of the same slot of a Redis Cluster, so that one script
 * may touch both. A slot is given by what stands between the first `{` and the next `}`, or else by the whole key:
 *
 *     cs:secret:alice     ->  cs:lease:{cs:secret:alice}
 *     cs:secret:a{7}b     ->  cs:lease:{7}secret:a{7}b
 *     {cs}:secret:alice   ->  {cs}:lease:{cs}secret:alice
 *     cs:secret:a}b       ->  undefined
 *
 * Undefined where no key has that slot for a reason that can be read off it: a `}` that belongs to no pair cannot
 * stand in a pair. Such a secret is read from the database each time.
 */
export function redisLeaseKey(keyPrefix: string, key: CacheKey): string | undefined {
  return sameSlotKey(keyPrefix, "lease", key);
}

/**
 * A key for something of this kind that belongs to `key`, in its slot; undefined where there can be none. With
 * `name`, which has no braces, one of several.
 */
export function sameSlotKey(keyPrefix: string, kind: string, key: CacheKey, name = ""): string | undefined {
  const storedKey = keyPrefix + key;
  const hashed = hashedPart(storedKey);
  // The whole key in braces is a name of its own; a part of it is not.
  const twin = `${keyPrefix}${kind}:{${hashed}}${hashed === storedKey ? "" : key}${name}`;
  return hashedPart(twin) === hashed ? twin : undefined;
}

/** What Redis Cluster hashes of a key (Redis Cluster specification, "Hash tags"). */
function hashedPart(key: string): string {
  const open = key.indexOf("{");
  const close = open < 0 ? -1 : key.indexOf("}", open + 1);
  return close <= open + 1 ? key : key.slice(open + 1, close);
}
