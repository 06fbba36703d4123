import type { Clock } from "./clock.ts";
import type { Version } from "./version.ts";

/** What a tier holds under a key. Entries are never changed, only replaced, so tiers may share one. */
export interface Entry<V> {
  /**
   * Namespaced entries: the encoded `google.protobuf.Any`, perhaps a view into a larger buffer, which it keeps alive.
   * Secrets: the {@link Secret}.
   */
  readonly value: V;
  /** The instant from which the entry is gone, in ms since the Unix epoch; Infinity when it never is. */
  readonly expiresAtMs: number;
  /** Orders the entries of one key, if the authority issues versions. */
  readonly version: Version;
}

/** What Set writes under a namespaced key. */
export interface EntryChange {
  /** The encoded `google.protobuf.Any`. The store may keep it, so the caller must not write to it again. */
  readonly value: Uint8Array;
  /** In ms since the Unix epoch; Infinity when the entry never expires. */
  readonly expiresAtMs: number;
}

type Expiring = Pick<EntryChange, "expiresAtMs">;

// Reading the machine's clock costs more than the rest of these functions, so an entry that never expires skips it.

/** Whether the entry has expired. The instant of expiry itself counts as expired. */
export function isExpired({ expiresAtMs }: Expiring, clock: Pick<Clock, "now">): boolean {
  return expiresAtMs !== Infinity && expiresAtMs <= clock.now();
}

/** Milliseconds until the entry expires; 0 once it has, Infinity when it never does. */
export function timeLeftMs({ expiresAtMs }: Expiring, clock: Pick<Clock, "now">): number {
  return expiresAtMs === Infinity ? Infinity : Math.max(0, expiresAtMs - clock.now());
}
