import { seededRandom } from "../support/seeded_random.ts";
import type { Family, History, Operation } from "./checker/history.ts";
import { readAll, runClient } from "./clients/client.ts";
import { lookUp, watchDatabase } from "./clients/database_watcher.ts";
import { Workload } from "./clients/workload.ts";
import { Cluster, TOPOLOGIES, type Topology } from "./cluster/cluster.ts";
import { planFaults } from "./faults/fault_plan.ts";
import { runFaults } from "./faults/run_faults.ts";

export interface RunOptions {
  /** Determines the faults and the calls, but not their timing. */
  readonly seed: number;
  /** How long clients write. */
  readonly lengthMs: number;
  /** Chosen by the seed unless given. */
  readonly topology?: Topology | undefined;
  /** Only faults whose names contain this text. */
  readonly only?: string | undefined;
  /** The program that is run. */
  readonly main?: string;
}

/** The database still has the secrets that a failover of Redis loses; entries are lost, so they are left out there. */
const FAMILIES: Readonly<Record<Topology, readonly Family[]>> = {
  "one Redis": ["namespaced", "secret"],
  "two under sentinels": ["secret"],
};

const REPLICAS = 3;
const CLIENTS_PER_REPLICA = 4;

/** After this time without faults, every replica must return what was last acknowledged. */
const SETTLE_MS = 1_000;

/** Starts a cluster, runs clients and faults on it, and returns what the clients saw. */
export async function recordHistory(options: RunOptions): Promise<History> {
  const { seed, lengthMs, only, main = "tests/fault/short_tombstones_main.ts" } = options;
  const topology = options.topology ?? TOPOLOGIES[seed % TOPOLOGIES.length]!;
  const planned = planFaults(seededRandom(seed), { replicas: REPLICAS, lengthMs, topology, only });
  await using cluster = await Cluster.start(REPLICAS, { topology, programOptions: { main } });
  await cluster.healthy();
  const operations: Operation[] = [];
  const workload = new Workload(FAMILIES[topology]);
  const startMs = performance.now();
  const clients = cluster.replicas.flatMap((replica, index) =>
    Array.from({ length: CLIENTS_PER_REPLICA }, (_, client) =>
      runClient(replica, workload, {
        operations,
        endMs: startMs + lengthMs,
        random: seededRandom(seed + 1 + index * CLIENTS_PER_REPLICA + client),
      }))
  );
  const watcher = watchDatabase(cluster.database, workload, {
    operations,
    endMs: startMs + lengthMs,
    random: seededRandom(seed),
  });
  const [faults] = await Promise.all([runFaults(cluster, planned, startMs), watcher, ...clients]);
  await cluster.healthy();
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const settledMs = performance.now();
  const keys = workload.keys();
  await readAll(cluster.replicas, keys, operations);
  for (const key of keys) if (key.family === "secret") await lookUp(cluster.database, key, operations);
  return { operations, faults, settledMs };
}
