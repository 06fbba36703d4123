import type { Operation } from "./history.ts";

/** The guarantees that a history can violate. */
export type Rule =
  /** A read returned a value that no write of its key had stored before the read ended. */
  | "unwritten value"
  /** A read returned a value that a later write had replaced. */
  | "stale value"
  /** A read returned a value that had been deleted. */
  | "deleted value"
  /** Reads found two values in turns, or the first of two after both had been written. */
  | "returned value"
  /** A read found nothing, although the key existed all the time: an outage or a lost write may be the cause. */
  | "false miss"
  /** An operation failed after everything had settled, or during a contained fault. */
  | "unavailable"
  /** The service returned an error that no outage may cause. */
  | "wrong error"
  /** Replicas gave different answers after everything had settled. */
  | "disagreement"
  /** A secret that was never deleted did not keep its secretKey. */
  | "changed secretKey"
  /** A secret that was deleted and created again kept its secretKey. */
  | "kept secretKey";

export interface Violation {
  readonly rule: Rule;
  /** One sentence. */
  readonly text: string;
  /** The operations of one key that contradict each other, or those that failed together; the offending one first. */
  readonly operations: readonly [Operation, ...Operation[]];
}
