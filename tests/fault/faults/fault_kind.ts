import type { Cluster, Topology } from "../cluster/cluster.ts";
import type { Replica } from "../cluster/replica.ts";

/** What a fault affects. `replica` and those after it exist once a replica. */
export type Thing = "redis" | "mysql" | "every redis link" | "replica" | "redis link" | "mysql link";

/** A kind of fault that a cluster may have for a while. */
export interface FaultKind {
  readonly name: string;
  /** How often it is chosen, relative to the others. */
  readonly weight: number;
  /** The shortest and the longest duration, in ms; 0 for what is over at once. */
  readonly lengthMs: readonly [number, number];
  /** What it affects; no two faults affect one thing at once. */
  readonly on: readonly Thing[];
  /** The topology that it needs; absent: any. */
  readonly in?: Topology;
  /** Whether namespaced entries are lost: only Redis has them. */
  readonly emptiesRedis: boolean;
  /** Whether a replica is frozen meanwhile and resumes its calls afterwards. */
  readonly freezesReplica?: boolean;
  /** Whether the database may lose a commit that was visible but not acknowledged. */
  readonly crashesDatabase?: boolean;
  /** Whether no operation of the history may fail because of it. It never overlaps other faults. */
  readonly isContained?: boolean;
  /** `replica` is a random one, for kinds that affect one. */
  begin(cluster: Cluster, replica: Replica): void | Promise<void>;
  end(cluster: Cluster, replica: Replica): void | Promise<void>;
}
