/**
 * The version of a secret: which row holds it, and how often that row was written. The database issues both numbers.
 *
 * A key that is deleted and created again gets a row with a greater `id`, and `revision` grows by one with each update of
 * the row. Ordered by id first, the versions of a key only ever grow, without a clock and without a shared counter.
 */
export interface Version {
  /** The row's AUTO_INCREMENT number; 0 for entries that carry no version. */
  readonly id: number;
  /** 1 in a new row; {@link LAST_REVISION} in the tombstone of a deleted row. */
  readonly revision: number;
}

/** Above every revision that a row can reach, so that a tombstone outranks all versions of its row. */
export const LAST_REVISION = Number.MAX_SAFE_INTEGER;

/** The version of namespaced entries, whose authority issues none. */
export const UNVERSIONED: Version = Object.freeze({ id: 0, revision: 0 });

/** The version after the deletion of the row `id`: above all its revisions, below those of the key's next row. */
export function endOf(id: number): Version {
  return { id, revision: LAST_REVISION };
}

/** Negative, zero or positive as `a` is older than, the same as or newer than `b`. */
export function compareVersions(a: Version, b: Version): number {
  return a.id !== b.id ? a.id - b.id : a.revision - b.revision;
}
