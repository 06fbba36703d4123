import type { Version } from "./version.ts";

/** What a tier holds under a key. Entries are never changed, only replaced, so tiers may share one. */
export interface Entry<V> {
  /** Namespaced entries: the encoded `google.protobuf.Any`. Secrets: the {@link Secret}. */
  readonly value: V;
  /** The instant from which the entry is gone, in ms since the Unix epoch; Infinity when it never is. */
  readonly expiresAtMs: number;
  /** Orders the entries of one key where the authority issues versions. */
  readonly version: Version;
}

/** Whether the entry is gone at `nowMs`. The instant of expiry itself counts as expired. */
export function isExpired(entry: { readonly expiresAtMs: number }, nowMs: number): boolean {
  return entry.expiresAtMs <= nowMs;
}

/** Milliseconds until the entry expires; 0 once it has, Infinity when it never does. */
export function timeLeftMs(entry: { readonly expiresAtMs: number }, nowMs: number): number {
  return Math.max(0, entry.expiresAtMs - nowMs);
}
