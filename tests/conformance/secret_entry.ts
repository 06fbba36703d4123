/** Secrets whose values name their version, so that a test can tell where a value comes from. */
import type { Entry } from "../../src/core/entry.ts";
import { type CacheKey, secretIdOf } from "../../src/core/key.ts";
import type { Secret } from "../../src/core/secret.ts";
import type { Version } from "../../src/core/version.ts";

export function version(id: number, revision: number): Version {
  return { id, revision };
}

/** The entry that the database would have at this version. */
export function secretEntry(key: CacheKey, version: Version, expiresAtMs = Infinity): Entry<Secret> {
  const value: Secret = {
    userId: "",
    name: `revision ${version.revision}`,
    secretId: secretIdOf(key),
    secretKey: `epoch ${version.id}`,
    expires: expiresAtMs === Infinity ? 0 : expiresAtMs / 1000,
    status: 1,
    description: "",
    createdAtMs: 1_735_689_600_000,
    updatedAtMs: 1_735_689_600_000 + version.revision,
  };
  return { value, expiresAtMs, version };
}
