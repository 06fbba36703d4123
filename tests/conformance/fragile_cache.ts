import type { CacheKey } from "../../src/core/key.ts";
import type { SharedCache } from "../../src/core/ports.ts";
import type { Secret } from "../../src/core/secret.ts";

/** What a shared cache has of a key: its value, and its lease. */
export type Part = "value" | "lease";

/** A shared cache as far as one key goes, and what may befall it from outside. */
export interface FragileCache {
  readonly store: SharedCache<Secret>;
  /** The same cache through a process whose tombstones and intents live this long. */
  withTombstoneTtl(ttlMs: number): SharedCache<Secret>;
  /** The time that what readers see has left: Infinity when it never expires, 0 when it is not there. */
  timeLeftMs(): Promise<number>;
  /** Loses these parts: one of them by an eviction, both by FLUSHALL. */
  lose(...parts: readonly Part[]): Promise<void>;
  /** Takes a snapshot of both parts. */
  save(): Promise<void>;
  /** Kills the server and starts it from the last snapshot, empty if there is none; connections begin anew. */
  restart(): Promise<void>;
}

/** A cache under test, key by key; closed by its disposal. */
export interface OpenSharedCache extends AsyncDisposable {
  at(key: CacheKey): FragileCache;
}
