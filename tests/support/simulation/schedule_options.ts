import type { ReplicaOptions } from "./replica.ts";
import type { Weakness } from "./shared_cache.ts";

/** What a schedule may do besides reads, writes and deletes. */
export interface ScheduleOptions extends ReplicaOptions {
  readonly steps: number;
  readonly replicas: number;
  readonly keys: number;
  /** How likely each step begins an operation: the less, the fewer are under way at once, and the more end. */
  readonly load: number;
  /** How long the longest pause between two steps is. */
  readonly longestPauseMs: number;
  /** How likely a packet is overtaken by whole operations that began after it was sent. */
  readonly slow: number;
  /** How likely each step kills a replica and starts another in its place. */
  readonly kill: number;
  /** How likely each step empties the shared tier. */
  readonly flush: number;
  /** How likely each step takes one thing from the shared tier: what it has of a key, or a lease. */
  readonly evict: number;
  /** How likely each step takes a snapshot of the shared tier, or starts that from the last one. */
  readonly restart: number;
  /** How likely each step promotes another master, or leads a replica to it. */
  readonly failover: number;
  /** How likely each step cuts or restores the connection from one replica to the shared tier. */
  readonly cut: number;
  /** How likely each step cuts or restores the connection over which a replica gets invalidations. */
  readonly disconnect: number;
  /** How likely a client that waits for a change leaves in a step. */
  readonly leave: number;
  /** How many changes of a key that are under way or unaccounted for the shared tier keeps apart, and one more. */
  readonly maxIntents: number;
  /** Of the shared tier. */
  readonly weakness?: Weakness;
}
