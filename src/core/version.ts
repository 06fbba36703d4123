/**
 * The version of a secret's row: which incarnation of the key it is, and how often that one was written.
 *
 * The database issues both. `id` is the row's AUTO_INCREMENT number, so a key that is deleted and created
 * again gets a greater one; `revision` grows by one with each update of the row. Ordered by id first, a
 * version of a key therefore only ever grows, without a clock and without a counter that all writes share.
 */
export interface Version {
  /** The row's AUTO_INCREMENT number; 0 for entries that carry no version. */
  readonly id: number;
  /** 1 when the row is created; {@link LAST_REVISION} in the tombstone of a deleted row. */
  readonly revision: number;
}

/** Greater than every revision a row can reach, so that a tombstone outranks all of its row's versions. */
export const LAST_REVISION = Number.MAX_SAFE_INTEGER;

/** The version of entries that have none: namespaced ones, whose authority keeps a single copy. */
export const UNVERSIONED: Version = Object.freeze({ id: 0, revision: 0 });

/** The version that ends the incarnation `id`: newer than all its revisions, older than the next one's. */
export function endOf(id: number): Version {
  return { id, revision: LAST_REVISION };
}

/** Negative, zero or positive as `a` is older than, the same as or newer than `b`. */
export function compareVersions(a: Version, b: Version): number {
  return a.id !== b.id ? a.id - b.id : a.revision - b.revision;
}
