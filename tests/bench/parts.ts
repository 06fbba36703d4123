import type { Part } from "./part.ts";
import { alternatives } from "./parts/alternatives.ts";
import { calls } from "./parts/calls.ts";
import { eviction } from "./parts/eviction.ts";
import { firstCall } from "./parts/first_call.ts";
import { invalidationTraffic } from "./parts/invalidation_traffic.ts";
import { memory } from "./parts/memory.ts";
import { replicas } from "./parts/replicas.ts";
import { secretWrites } from "./parts/secret_writes.ts";
import { staleness } from "./parts/staleness.ts";
import { transports } from "./parts/transports.ts";
import { valueSizes } from "./parts/value_sizes.ts";

/** All parts, in the order of the report. */
export const PARTS: readonly Part[] = [
  calls,
  alternatives,
  secretWrites,
  transports,
  valueSizes,
  replicas,
  staleness,
  invalidationTraffic,
  memory,
  eviction,
  firstCall,
];
