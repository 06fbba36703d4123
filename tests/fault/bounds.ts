import type { Bounds } from "./checker/bounds.ts";

/**
 * The time from a change on one replica until the others drop their copies. With faults it is longer: a silent loss of
 * the connection for invalidations is noticed late.
 */
const INVALIDATION_MS = { calm: 100, disturbed: 3_000 };

/**
 * The time until a change reaches Redis by the outbox if its own replica cannot reach Redis: the others read the outbox
 * each second. Even without faults, a time-out on a busy machine sends a change this way.
 */
const REPAIR_MS = { calm: 1_500, disturbed: 2_500 };

/**
 * Redis executes a change of an entry before its time-out of 200 ms or not at all. The rest is for a client's clock and
 * a busy machine. A database may finish a statement at any later time.
 */
const LATE_MS = 300;

/** The bounds for three replicas with local memory over one Redis and one MariaDB. */
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
