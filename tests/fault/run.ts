import { seededRandom } from "../support/seeded_random.ts";
import type { History, Operation } from "./checker/history.ts";
import { readAll, runClient } from "./clients/client.ts";
import { Workload } from "./clients/workload.ts";
import { Cluster } from "./cluster/cluster.ts";
import { planFaults } from "./faults/fault_plan.ts";
import { runFaults } from "./faults/run_faults.ts";
import type { Profile } from "./profile.ts";

export interface RunOptions {
  readonly profile: Profile;
  /** Determines what is broken when, and what clients ask for; not what comes of it. */
  readonly seed: number;
  /** How long clients write. */
  readonly lengthMs: number;
}

const REPLICAS = 3;
const CLIENTS_PER_REPLICA = 4;

/** The time after which, with everything healed, every replica must return what was last acknowledged. */
const SETTLE_MS = 1_000;

/** Starts a cluster, lets clients work on it while it is being broken, and returns what they saw. */
export async function recordHistory({ profile, seed, lengthMs }: RunOptions): Promise<History> {
  await using cluster = await Cluster.start(REPLICAS, {
    "cache.local.disabled": String(profile.local === "disabled"),
  });
  await cluster.healthy();
  const planned = planFaults(seededRandom(seed), { replicas: REPLICAS, lengthMs, outbox: profile.outbox });
  const operations: Operation[] = [];
  const workload = new Workload();
  const startMs = performance.now();
  const clients = cluster.replicas.flatMap((replica, index) =>
    Array.from({ length: CLIENTS_PER_REPLICA }, (_, client) =>
      runClient(replica, workload, {
        operations,
        endMs: startMs + lengthMs,
        random: seededRandom(seed + 1 + index * CLIENTS_PER_REPLICA + client),
      }))
  );
  const [faults] = await Promise.all([runFaults(cluster, planned, startMs), ...clients]);
  await cluster.healthy();
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const settledMs = performance.now();
  await readAll(cluster.replicas, workload.keys(), operations);
  return { operations, faults, settledMs };
}
