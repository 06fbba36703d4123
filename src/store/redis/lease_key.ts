import type { CacheKey } from "../../core/key.ts";

/**
 * The key of a secret's lease, in the same slot of a Redis Cluster, so that one script may use both keys. The slot
 * depends on the text between the first `{` and the next `}`, or else on the whole key:
 *
 *     cs:secret:alice     ->  cs:lease:{cs:secret:alice}
 *     cs:secret:a{7}b     ->  cs:lease:{7}secret:a{7}b
 *     {cs}:secret:alice   ->  {cs}:lease:{cs}secret:alice
 *     cs:secret:a}b       ->  undefined
 *
 * Undefined if no other key can have that hash tag: a `}` without a `{` cannot be part of a tag. A miss of such a secret
 * fills nothing: Redis has it only after a write.
 */
export function redisLeaseKey(keyPrefix: string, key: CacheKey): string | undefined {
  return sameSlotKey(keyPrefix, "lease", key);
}

/**
 * A key of this kind in the slot of `key`, or undefined if there is none. `name`, without braces, tells several keys
 * apart.
 */
export function sameSlotKey(keyPrefix: string, kind: string, key: CacheKey, name = ""): string | undefined {
  const storedKey = keyPrefix + key;
  const hashed = hashedPart(storedKey);
  // The whole key in braces is unique; a part of it is not.
  const twin = `${keyPrefix}${kind}:{${hashed}}${hashed === storedKey ? "" : key}${name}`;
  return hashedPart(twin) === hashed ? twin : undefined;
}

/** The hashed part of a key (Redis Cluster specification, "Hash tags"). */
function hashedPart(key: string): string {
  const open = key.indexOf("{");
  const close = open < 0 ? -1 : key.indexOf("}", open + 1);
  return close <= open + 1 ? key : key.slice(open + 1, close);
}
