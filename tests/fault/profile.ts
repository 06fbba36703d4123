import type { Bounds } from "./checker/bounds.ts";

/** What the service is built and configured to do, and so what may be asked of it. */
export interface Profile {
  /** Whether replicas keep entries in their own memory, and so must hear of the others' changes. */
  readonly local: "disabled" | "enabled";
  /** Whether what Redis could not be told survives the replica that could not tell it. */
  readonly outbox: "absent" | "present";
  readonly bounds: Bounds;
}

/**
 * What a change in one replica's memory takes to be dropped from the others': nothing while there is no such
 * memory. A silent loss of the connection that tells of changes is noticed late, so that faults cost more.
 */
const INVALIDATION = {
  disabled: { calm: 0, disturbed: 0 },
  enabled: { calm: 100, disturbed: 3_000 },
} as const;

/**
 * What is left in Redis by a replica that could not tell it of a change. Such a replica goes on trying each
 * second; without an outbox nobody does it for one that is paused. A time-out on a busy machine is no fault,
 * and makes a calm replica do the same.
 */
const REPAIR = {
  absent: { calm: 1_500, disturbed: 4_500 },
  present: { calm: 1_500, disturbed: 2_500 },
} as const;

function profile(local: Profile["local"], outbox: Profile["outbox"]): Profile {
  const namespaced = INVALIDATION[local];
  const repair = REPAIR[outbox];
  return {
    local,
    outbox,
    bounds: {
      graceMs: {
        namespaced,
        secret: { calm: namespaced.calm + repair.calm, disturbed: namespaced.disturbed + repair.disturbed },
      },
      recoveryMs: 3_000,
      lingerMs: 2_000,
    },
  };
}

/**
 * The service as it is. Its replicas are not told of each other's changes yet, so none may keep any in memory;
 * and there is no outbox yet, so that what a replica owes Redis is lost with it.
 */
export const PROFILE: Profile = profile("disabled", "absent");
