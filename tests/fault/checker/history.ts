/** What the clients of several replicas saw, and the faults meanwhile. All times are ms of one monotonic clock. */

/** Namespaced entries and secrets have different authorities, and so different guarantees. */
export type Family = "namespaced" | "secret";

interface Asked {
  readonly family: Family;
  readonly key: string;
  /** Which process answered. A replica that is restarted is another process. */
  readonly process: string;
  /** The replica that the process is one of. */
  readonly replica: string;
  /** From before the request was sent ... */
  readonly startMs: number;
  /** ... until after its answer was there. */
  readonly endMs: number;
}

/** An error other than "not found". A change that fails may take effect within a bound, or never. */
export interface Failure {
  readonly kind: "failed";
  /** The status's name: `UNAVAILABLE`. */
  readonly code: string;
  /** The service's reason; undefined if the client did not get it. */
  readonly reason: string | undefined;
}

export interface Read extends Asked {
  readonly kind: "read";
  readonly outcome: Found | { readonly kind: "absent" } | Failure;
}

/** The outcome of a read. */
export interface Found {
  readonly kind: "found";
  readonly value: string;
  /** Of a secret; the service generates it when the key is created. */
  readonly secretKey: string | undefined;
}

export interface Write extends Asked {
  readonly kind: "write";
  /** No other write of the history has it. */
  readonly value: string;
  readonly outcome: Acknowledged | Failure;
}

export interface Delete extends Asked {
  readonly kind: "delete";
  readonly outcome: Acknowledged | Failure;
}

export interface Acknowledged {
  readonly kind: "acknowledged";
}

export type Operation = Read | Write | Delete;

/** Something that was done to the servers, the replicas or the links between them. */
export interface Fault {
  /** `pause redis`, `restart replica 2`. */
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  /** Whether Redis had forgotten everything at some instant in between. */
  readonly emptiesRedis: boolean;
  /** The replica whose process did not run; undefined if all did. */
  readonly freezes?: string | undefined;
  /** Whether no operation of the history may fail because of it. */
  readonly isContained?: boolean;
  /** Whether the database may forget a commit that clients have seen and that was not acknowledged. */
  readonly crashesDatabase?: boolean;
}

export interface History {
  readonly operations: readonly Operation[];
  readonly faults: readonly Fault[];
  /** From here on no client writes, nothing is broken, and every replica has had the time to recover. */
  readonly settledMs: number;
}
