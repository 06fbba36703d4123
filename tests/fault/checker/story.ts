import type { Delete, Failure, Family, Fault, History, Operation, Read, Write } from "./history.ts";

const FAILURE: Failure = { kind: "failed", code: "UNAVAILABLE", reason: "STORE_UNAVAILABLE" };

/** When an operation began and ended, in ms. */
type Span = readonly [startMs: number, endMs: number];

/** Optional facts about an operation. */
interface Details {
  /** Process 1 by default. */
  readonly at?: string;
  readonly secretKey?: string;
}

/** Builds a history by hand: one key, `k`, of one family. */
export class Story {
  readonly #family: Family;
  readonly #operations: Operation[] = [];
  readonly #faults: Fault[] = [];

  constructor(family: Family) {
    this.#family = family;
  }

  /** An acknowledged write; `unknown` for one that failed. */
  wrote(span: Span, value: string, { at = "1", outcome = "known" }: ChangeDetails = {}): this {
    const write: Write = { ...this.#asked(span, at), kind: "write", value, outcome: changeOutcome(outcome) };
    return this.#add(write);
  }

  deleted(span: Span, { at = "1", outcome = "known" }: ChangeDetails = {}): this {
    const remove: Delete = { ...this.#asked(span, at), kind: "delete", outcome: changeOutcome(outcome) };
    return this.#add(remove);
  }

  /** A read that found this value, or nothing if it is undefined. */
  read(span: Span, value: string | undefined, { at = "1", secretKey }: Details = {}): this {
    const outcome: Read["outcome"] = value === undefined
      ? { kind: "absent" }
      : { kind: "found", value, secretKey };
    return this.#add({ ...this.#asked(span, at), kind: "read", outcome });
  }

  failedToRead(span: Span, failure: Partial<Failure> = {}, { at = "1" }: Details = {}): this {
    return this.#add({ ...this.#asked(span, at), kind: "read", outcome: { ...FAILURE, ...failure } });
  }

  fault([startMs, endMs]: Span, details: FaultDetails = {}): this {
    this.#faults.push({ name: "fault", startMs, endMs, emptiesRedis: false, ...details });
    return this;
  }

  /** The history so far; nothing of it is settled by default. */
  history({ settledMs = Infinity } = {}): History {
    return { operations: this.#operations, faults: this.#faults, settledMs };
  }

  #asked([startMs, endMs]: Span, process: string) {
    return { family: this.#family, key: "k", process, replica: process, startMs, endMs };
  }

  #add(operation: Operation): this {
    this.#operations.push(operation);
    return this;
  }
}

type FaultDetails = Partial<Omit<Fault, "name" | "startMs" | "endMs">>;

interface ChangeDetails {
  readonly at?: string;
  readonly outcome?: "known" | "unknown";
}

function changeOutcome(outcome: "known" | "unknown") {
  return outcome === "known" ? { kind: "acknowledged" as const } : FAILURE;
}
