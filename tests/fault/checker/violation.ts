import type { Operation } from "./history.ts";

/** The guarantees that a history can violate. */
export type Rule =
  /** A read returned what no write of its key had stored before the read ended. */
  | "unwritten value"
  /** A read returned what a later write had replaced. */
  | "stale value"
  /** A read returned what had been deleted. */
  | "deleted value"
  /** Reads found two values in turns, or the first of two after both had been written. */
  | "returned value"
  /** A read found nothing, although the key was there all the time: perhaps an outage, perhaps a lost write. */
  | "false miss"
  /** Something failed although everything had settled, or although the fault of that time did not concern it. */
  | "unavailable"
  /** The service gave another error than the ones that an outage may cause. */
  | "wrong error"
  /** Replicas gave different answers although everything had settled. */
  | "disagreement"
  /** A secret that was never deleted did not keep its secretKey. */
  | "changed secretKey"
  /** A secret that was deleted and created again did keep its secretKey. */
  | "kept secretKey";

export interface Violation {
  readonly rule: Rule;
  /** One sentence. */
  readonly text: string;
  /** Those that contradict each other, all of one key, or those that failed together; the offending one first. */
  readonly operations: readonly [Operation, ...Operation[]];
}
