import type { Clock } from "./clock.ts";
import type { Version } from "./version.ts";

/** What ends at an instant, in ms since the Unix epoch; Infinity when it never does. */
type Expiring = { readonly expiresAtMs: number };

/** What a tier holds under a key. Entries are never changed, only replaced, so tiers may share one. */
export interface Entry<V> {
  /**
   * Namespaced entries: the encoded `google.protobuf.Any`, perhaps a view into a larger buffer, all of which whoever
   * keeps it holds on to. Secrets: the {@link Secret}.
   */
  readonly value: V;
  /** The instant from which the entry is gone, in ms since the Unix epoch; Infinity when it never is. */
  readonly expiresAtMs: number;
  /** Orders the entries of one key where the authority issues versions. */
  readonly version: Version;
}

// To read the machine's clock takes longer than all else here, and is spared for an entry that never expires.

/** Whether the entry is gone by now. The instant of expiry itself counts as expired. */
export function isExpired({ expiresAtMs }: Expiring, clock: Pick<Clock, "now">): boolean {
  return expiresAtMs !== Infinity && expiresAtMs <= clock.now();
}

/** Milliseconds until the entry expires; 0 once it has, Infinity when it never does. */
export function timeLeftMs({ expiresAtMs }: Expiring, clock: Pick<Clock, "now">): number {
  return expiresAtMs === Infinity ? Infinity : Math.max(0, expiresAtMs - clock.now());
}
