/** Random schedules over a simulated clock and stores that answer in any order; see support/simulation. */
import { assertEquals } from "@std/assert";
import type { CopyPolicy } from "../../../src/core/policies.ts";
import { type Faults, NO_FAULTS } from "../../support/simulation/network.ts";
import { runSchedule } from "../../support/simulation/schedule.ts";
import type { ScheduleOptions } from "../../support/simulation/schedule_options.ts";
import { withSeed } from "../../support/seeded_random.ts";

const SCHEDULES = 400;

const SOME_FAULTS: Faults = { ...NO_FAULTS, refused: 0.08, undone: 0.08, replyLost: 0.08, stalled: 0.05 };

const CALM = {
  steps: 120,
  keys: 3,
  load: 0.38,
  slow: 0,
  local: true,
  shared: false,
  replicas: 1,
  kill: 0,
  flush: 0,
  evict: 0,
  restart: 0,
  failover: 0,
  epochs: true,
  disconnect: 0,
  authorityFaults: NO_FAULTS,
  sharedFaults: NO_FAULTS,
  announceFaults: NO_FAULTS,
  stalls: "none",
  longestPauseMs: 400,
  outbox: false,
  cut: 0,
  leave: 0.03,
  maxIntents: 64,
} satisfies ScheduleOptions;

/** Replicas that may each lose their connection to the shared tier, and die, at any moment. */
const PARTED = {
  ...CALM,
  local: false,
  shared: true,
  replicas: 3,
  kill: 0.01,
  cut: 0.04,
  outbox: true,
} satisfies ScheduleOptions;

/** Copies that end, are renewed and remember absence, all within one schedule. */
const COPIES = { localTtlMs: 600, negativeTtlMs: 400, refreshAhead: 0.3, jitter: 0.2 } satisfies CopyPolicy;

/** A shared tier that loses data. Long, with few operations at once, because most of them need many steps. */
const LOSSY = {
  ...CALM,
  steps: 400,
  keys: 1,
  load: 0.08,
  slow: 0.1,
  local: false,
  shared: true,
  replicas: 3,
  outbox: true,
} satisfies ScheduleOptions;

/** Replicas with more changes of a key than may run at once, and an authority that undoes some. */
const QUEUED = {
  ...CALM,
  steps: 250,
  keys: 1,
  load: 0.5,
  local: false,
  shared: true,
  replicas: 2,
  leave: 0.1,
  authorityFaults: { ...NO_FAULTS, undone: 0.2 },
} satisfies ScheduleOptions;

/** An authority whose commits may take longer than a tombstone lives: few steps, and long pauses. */
const STALLING = {
  ...CALM,
  local: false,
  shared: true,
  replicas: 3,
  keys: 2,
  load: 0.2,
  stalls: "reported",
  steps: 200,
  longestPauseMs: 40_000,
} satisfies ScheduleOptions;

/** Replicas that notice a failover at different times, while the old master still takes changes. */
const SPLIT = { ...LOSSY, failover: 0.03, restart: 0.01, kill: 0.005 } satisfies ScheduleOptions;

const SETTINGS: Readonly<Record<string, ScheduleOptions>> = {
  "local memory over the authority": CALM,
  "local memory over an authority that fails": { ...CALM, authorityFaults: SOME_FAULTS },
  "three tiers": { ...CALM, shared: true },
  "three tiers, both remote ones failing": {
    ...CALM,
    shared: true,
    authorityFaults: SOME_FAULTS,
    sharedFaults: SOME_FAULTS,
    announceFaults: SOME_FAULTS,
  },
  "replicas that share a tier": { ...CALM, local: false, shared: true, replicas: 3 },
  "replicas that share a tier, and die": {
    ...CALM,
    local: false,
    shared: true,
    replicas: 3,
    kill: 0.02,
    authorityFaults: SOME_FAULTS,
  },
  "replicas that share a tier, which fails once a change is announced": {
    ...CALM,
    local: false,
    shared: true,
    replicas: 3,
    kill: 0.02,
    sharedFaults: { ...NO_FAULTS, refused: 0.15, replyLost: 0.15 },
    // For announcements that the breaker refuses.
    outbox: true,
  },
  "replicas that share a tier, which is emptied": { ...LOSSY, flush: 0.03 },
  "replicas that share a tier, which evicts": { ...LOSSY, evict: 0.06 },
  "replicas that share a tier, which is started from old snapshots": { ...LOSSY, evict: 0.04, restart: 0.03 },
  "replicas with memories and a shared tier, which loses what it has": {
    ...LOSSY,
    local: true,
    flush: 0.02,
    evict: 0.04,
    restart: 0.02,
    disconnect: 0.01,
  },
  "replicas that share a tier, which is out of reach for some": PARTED,
  "replicas that share a tier, which is out of reach for some and whose announcements fail": {
    ...PARTED,
    announceFaults: SOME_FAULTS,
    authorityFaults: SOME_FAULTS,
  },
  "replicas whose changes of a few keys queue": QUEUED,
  "replicas whose changes queue, and die before a tier that keeps few announcements apart": {
    ...QUEUED,
    replicas: 3,
    kill: 0.02,
    maxIntents: 2,
  },
  "replicas that share a tier over an authority whose commits stall": STALLING,
  "replicas with memories and a shared tier over an authority whose commits stall": {
    ...STALLING,
    local: true,
    disconnect: 0.01,
  },
  "three tiers whose authority fails and stalls": {
    ...STALLING,
    local: true,
    replicas: 1,
    authorityFaults: SOME_FAULTS,
    sharedFaults: SOME_FAULTS,
    announceFaults: SOME_FAULTS,
  },
  "replicas that share a tier with two masters at times": SPLIT,
  "replicas with memories and a shared tier with two masters at times": {
    ...SPLIT,
    local: true,
    disconnect: 0.01,
    cut: 0.01,
  },
  "replicas with memories over the authority": { ...CALM, replicas: 3, disconnect: 0.05 },
  "replicas with memories over an authority that fails, and die": {
    ...CALM,
    replicas: 3,
    disconnect: 0.05,
    kill: 0.02,
    authorityFaults: SOME_FAULTS,
  },
  "replicas with memories and a shared tier": { ...CALM, shared: true, replicas: 3, disconnect: 0.05 },
  "replicas with memories and a shared tier, and die": {
    ...CALM,
    shared: true,
    replicas: 3,
    disconnect: 0.05,
    kill: 0.02,
    authorityFaults: SOME_FAULTS,
  },
  "copies under a policy": { ...CALM, copies: COPIES },
  "copies under a policy over an authority that fails": {
    ...CALM,
    copies: COPIES,
    authorityFaults: SOME_FAULTS,
  },
  "copies under a policy before a shared tier, which both fail": {
    ...CALM,
    copies: COPIES,
    shared: true,
    authorityFaults: SOME_FAULTS,
    sharedFaults: SOME_FAULTS,
    announceFaults: SOME_FAULTS,
  },
  "replicas with copies under a policy over an authority that fails, and die": {
    ...CALM,
    copies: COPIES,
    replicas: 3,
    disconnect: 0.05,
    kill: 0.02,
    authorityFaults: SOME_FAULTS,
  },
  "replicas with copies under a policy before a shared tier": {
    ...CALM,
    copies: COPIES,
    shared: true,
    replicas: 3,
    disconnect: 0.05,
  },
};

for (const [name, options] of Object.entries(SETTINGS)) {
  Deno.test(`Chain never returns anything older than what was acknowledged before: ${name}`, async () => {
    await withSeed(async (seed) => {
      for (let index = 0; index < SCHEDULES; index++) {
        const wrong = await runSchedule(seed + index, options);
        assertEquals(wrong, [], `schedule ${seed} + ${index}`);
      }
    });
  });
}

/** Worlds with one fault in their rules, which schedules must find. The same settings pass without the fault. */
const WRONG: Readonly<Record<string, ScheduleOptions>> = {
  "come from changes without a record": { ...PARTED, outbox: false },
  "come from fills without a lease": { ...LOSSY, evict: 0.06, weakness: "fills need no lease" },
  "come from fills whose lease outlived an announcement": {
    ...LOSSY,
    evict: 0.06,
    weakness: "announcements leave leases",
  },
  "come from changes that falsely report no effect": {
    ...QUEUED,
    authorityFaults: { ...NO_FAULTS, falselyUndone: 0.2 },
  },
  "come from stalled commits whose end is not reported": {
    ...STALLING,
    stalls: "forgotten",
  },
  "come from a master that other replicas have left": { ...SPLIT, epochs: false },
  "come back with old snapshots": { ...LOSSY, evict: 0.04, restart: 0.03, weakness: "all epochs are one" },
};

for (const [what, options] of Object.entries(WRONG)) {
  Deno.test(`runSchedule() finds the stale secrets that ${what}`, async () => {
    await withSeed(async (seed) => {
      for (let index = 0; index < 20 * SCHEDULES; index++) {
        const wrong = await runSchedule(seed + index, options);
        if (wrong.length > 0) return;
      }
      throw new Error("Nothing was wrong");
    });
  });
}
