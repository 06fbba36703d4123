import type { Endpoint } from "../../../src/core/endpoint.ts";
import type { RequestRange } from "./requests.ts";

/** How many calls are in flight, and over how many connections. */
export interface Shape {
  readonly connections: number;
  /** Calls in flight on each connection. */
  readonly streams: number;
}

/** What an answer has to be in order to count. */
export interface Expectation {
  /** The gRPC status. */
  readonly status: number;
  /** The least that the response's message may be, in bytes. */
  readonly minMessageBytes: number;
}

/** The processes whose CPU time is told, by their part in a call. */
export type Watched = Readonly<Partial<Record<ProcessRole, readonly number[]>>>;

/** `service` is CacheServer, or what is measured in its place. */
export type ProcessRole = "service" | "redis" | "database";

/** One measurement as a load generator is told to take it. */
export interface Load {
  /** Replicas; connections go round them. */
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

/** What a load generator has seen. */
export interface Measurement {
  /** Calls that were answered as expected. */
  readonly calls: number;
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** The CPU time that all processes of a role took for one call, in µs; absent where the system does not tell. */
  readonly cpuUs: Readonly<Partial<Record<ProcessRole, number>>>;
  /** How many calls were answered otherwise, by what they got instead. They are in no other number. */
  readonly failures: Readonly<Record<string, number>>;
}
