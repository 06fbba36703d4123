import type { Endpoint } from "../../../src/core/endpoint.ts";
import type { RequestRange } from "./requests.ts";

/** How many calls are in flight, and over how many connections. */
export interface Shape {
  readonly connections: number;
  /** Calls in flight on each connection. */
  readonly streams: number;
}

/** What a response must be in order to count. */
export interface Expectation {
  /** The gRPC status. */
  readonly status: number;
  /** The smallest accepted message, in bytes. */
  readonly minMessageBytes: number;
}

/** The processes whose CPU time is reported, by their part in a call. */
export type Watched = Readonly<Partial<Record<ProcessRole, readonly number[]>>>;

/** `service` is CacheServer, or the alternative that is measured. */
export type ProcessRole = "service" | "redis" | "database";

/** The order for one measurement by a load generator. */
export interface Load {
  /** The replicas; connections are spread over them in turn. */
  readonly addresses: readonly Endpoint[];
  readonly shape: Shape;
  readonly requests: RequestRange;
  /** `cycle`: key after key, and from the first again. `once`: no key twice, so the load may end before its time. */
  readonly order: "cycle" | "once";
  readonly expectation: Expectation;
  /** Load that is not measured, before the measured one. */
  readonly warmUpMs: number;
  readonly measuredMs: number;
  readonly watched: Watched;
}

/** The result of one measurement. */
export interface Measurement {
  /** Calls that were answered as expected. */
  readonly calls: number;
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** The CPU time that all processes of a role took for one call, in µs; absent if the system does not report it. */
  readonly cpuUs: Readonly<Partial<Record<ProcessRole, number>>>;
  /** How many calls were answered otherwise, by what they got instead. They are in no other number. */
  readonly failures: Readonly<Record<string, number>>;
}
