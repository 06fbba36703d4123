import type { Fault } from "../checker/history.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { faultName, type PlannedFault } from "./fault_plan.ts";

/**
 * Runs the planned faults, counted from `originMs` of `performance.now()`. Resolves once every fault has ended, to the
 * times at which each really began and ended. A fault that takes longer than planned delays those that affect the same
 * thing.
 */
export async function runFaults(
  cluster: Cluster,
  planned: readonly PlannedFault[],
  originMs: number,
): Promise<Fault[]> {
  const ended = new Map<string, Promise<unknown>>();
  return await Promise.all(planned.map((fault) => {
    const before = Promise.all(fault.things.map((thing) => ended.get(thing)));
    const run = before.then(() => runFault(cluster, fault, originMs));
    // Promise.all reports a failure; here it only must not count as unhandled.
    const after = run.catch(() => undefined);
    for (const thing of fault.things) ended.set(thing, after);
    return run;
  }));
}

async function runFault(cluster: Cluster, fault: PlannedFault, originMs: number): Promise<Fault> {
  const { kind } = fault;
  const replica = cluster.replicas[fault.replica]!;
  await reach(originMs + fault.startMs);
  const startMs = performance.now();
  await kind.begin(cluster, replica);
  await reach(startMs + fault.endMs - fault.startMs);
  await kind.end(cluster, replica);
  return {
    name: faultName(fault),
    startMs,
    endMs: performance.now(),
    emptiesRedis: kind.emptiesRedis,
    freezes: kind.freezesReplica ? replica.name : undefined,
    isContained: kind.isContained === true,
    crashesDatabase: kind.crashesDatabase === true,
  };
}

/** Resolves at this time of `performance.now()`. */
function reach(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms - performance.now())));
}
