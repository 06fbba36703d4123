import { seededRandom } from "../support/seeded_random.ts";
import type { History, Operation } from "./checker/history.ts";
import { readAll, runClient } from "./clients/client.ts";
import { Workload } from "./clients/workload.ts";
import { Cluster } from "./cluster/cluster.ts";
import { planFaults } from "./faults/fault_plan.ts";
import { runFaults } from "./faults/run_faults.ts";

export interface RunOptions {
  /** Determines what is broken when, and what clients ask for; not what comes of it. */
  readonly seed: number;
  /** How long clients write. */
  readonly lengthMs: number;
  /** What is run in the place of `main.ts`. */
  readonly main?: string;
}

const REPLICAS = 3;
const CLIENTS_PER_REPLICA = 4;

/** The time after which, with everything healed, every replica must return what was last acknowledged. */
const SETTLE_MS = 1_000;

/** Starts a cluster, lets clients work on it while it is being broken, and returns what they saw. */
export async function recordHistory({ seed, lengthMs, main }: RunOptions): Promise<History> {
  await using cluster = await Cluster.start(REPLICAS, main === undefined ? {} : { main });
  await cluster.healthy();
  const planned = planFaults(seededRandom(seed), { replicas: REPLICAS, lengthMs });
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
