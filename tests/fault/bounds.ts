import type { Bounds } from "./checker/bounds.ts";

/**
 * What a change in one replica's memory takes to be dropped from the others'. A silent loss of the connection
 * that tells of changes is noticed late, so that faults cost more.
 */
const INVALIDATION_MS = { calm: 100, disturbed: 3_000 };

/**
 * What a change takes to reach Redis by the outbox when its own replica cannot tell Redis of it: each second the
 * others look. A time-out on a busy machine is no fault, and makes a calm replica do the same.
 */
const REPAIR_MS = { calm: 1_500, disturbed: 2_500 };

/**
 * A change of an entry is executed by Redis before its time-out of 200 ms or not at all. The rest is what a client's
 * clock and a busy machine add. A database may finish a statement at any later time.
 */
const LATE_MS = 300;

/** What is asked of three replicas with local memory over one Redis and one MariaDB. */
export const BOUNDS: Bounds = {
  graceMs: {
    namespaced: INVALIDATION_MS,
    secret: {
      calm: INVALIDATION_MS.calm + REPAIR_MS.calm,
      disturbed: INVALIDATION_MS.disturbed + REPAIR_MS.disturbed,
    },
  },
  recoveryMs: 3_000,
  lingerMs: 2_000,
  lateMs: { namespaced: LATE_MS, secret: Infinity },
};
