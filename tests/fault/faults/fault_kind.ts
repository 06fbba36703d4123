import type { Cluster, Topology } from "../cluster/cluster.ts";
import type { Replica } from "../cluster/replica.ts";

/** `replica` and what follows it are one replica's. */
export type Thing = "redis" | "mysql" | "every redis link" | "replica" | "redis link" | "mysql link";

/** Something that may be done to a cluster for a while. */
export interface FaultKind {
  readonly name: string;
  /** How often it is chosen, compared with the others. */
  readonly weight: number;
  /** The shortest and the longest that it lasts, in ms; 0 for what is over at once. */
  readonly lengthMs: readonly [number, number];
  /** What it is done to; no two faults are done to one thing at once. */
  readonly on: readonly Thing[];
  /** Where it can be done; in every topology unless this says otherwise. */
  readonly in?: Topology;
  /** Whether namespaced entries are lost, which have no other place. */
  readonly emptiesRedis: boolean;
  /** Whether a replica does not run meanwhile and goes on afterwards with what it was asked. */
  readonly freezesReplica?: boolean;
  /** Whether the database may forget a commit that was shown and not acknowledged. */
  readonly crashesDatabase?: boolean;
  /** Whether no operation of the history may fail because of it. No other fault is under way then. */
  readonly concernsNone?: boolean;
  /** `replica` is one chosen at random, for those that are done to one. */
  begin(cluster: Cluster, replica: Replica): void | Promise<void>;
  end(cluster: Cluster, replica: Replica): void | Promise<void>;
}
