import { askRedis } from "../../support/redis.ts";
import type { Cluster } from "../cluster/cluster.ts";
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
  /** Whether namespaced entries are lost, which have no other place. */
  readonly emptiesRedis: boolean;
  /** Whether replicas may keep what Redis was to be told, beyond what only an outbox makes good. */
  readonly needsOutbox: boolean;
  /** `replica` is one chosen at random, for those that are done to one. */
  begin(cluster: Cluster, replica: Replica): void | Promise<void>;
  end(cluster: Cluster, replica: Replica): void | Promise<void>;
}

const HARMLESS = { emptiesRedis: false, needsOutbox: false } as const;

/** Every fault there is. */
export const FAULT_KINDS: readonly FaultKind[] = [
  {
    ...HARMLESS,
    name: "pause Redis",
    weight: 3,
    lengthMs: [100, 1500],
    on: ["redis"],
    begin: ({ redis }) => redis.pause(),
    end: ({ redis }) => redis.resume(),
  },
  {
    ...HARMLESS,
    name: "kill Redis, and start it empty",
    weight: 2,
    lengthMs: [50, 1000],
    on: ["redis"],
    emptiesRedis: true,
    begin: ({ redis }) => redis.stop(),
    end: ({ redis }) => redis.start(),
  },
  {
    ...HARMLESS,
    // It lasts from the snapshot to the start from it, so that secrets change in between.
    name: "kill Redis, and start it from an old snapshot",
    weight: 2,
    lengthMs: [300, 2000],
    on: ["redis"],
    emptiesRedis: true,
    begin: ({ redisSnapshot }) => redisSnapshot.take(),
    end: ({ redisSnapshot }) => redisSnapshot.restore(),
  },
  {
    ...HARMLESS,
    name: "FLUSHALL",
    weight: 3,
    lengthMs: [0, 0],
    on: ["redis"],
    emptiesRedis: true,
    begin: ({ redis }) => tellRedis(redis, "FLUSHALL"),
    end() {},
  },
  {
    ...HARMLESS,
    name: "CLIENT KILL of the subscribers",
    weight: 2,
    lengthMs: [0, 0],
    on: ["redis"],
    begin: ({ redis }) => tellRedis(redis, "CLIENT KILL TYPE pubsub"),
    end() {},
  },
  {
    ...HARMLESS,
    name: "CLIENT KILL of the others",
    weight: 1,
    lengthMs: [0, 0],
    on: ["redis"],
    begin: ({ redis }) => tellRedis(redis, "CLIENT KILL TYPE normal SKIPME yes"),
    end() {},
  },
  {
    ...HARMLESS,
    name: "cut every link to Redis",
    weight: 3,
    lengthMs: [50, 1500],
    on: ["redis", "every redis link"],
    begin: ({ replicas }) => replicas.forEach(({ redisLink }) => redisLink.cut()),
    end: ({ replicas }) => replicas.forEach(({ redisLink }) => redisLink.heal()),
  },
  {
    ...HARMLESS,
    name: "cut the link to Redis",
    weight: 3,
    // Past every grace: it is the outbox that must end what is stale at the others.
    lengthMs: [50, 6000],
    on: ["redis link"],
    needsOutbox: true,
    begin: (_, { redisLink }) => redisLink.cut(),
    end: (_, { redisLink }) => redisLink.heal(),
  },
  {
    ...HARMLESS,
    name: "silence the link to Redis",
    weight: 3,
    lengthMs: [50, 6000],
    on: ["redis link"],
    needsOutbox: true,
    begin: (_, { redisLink }) => redisLink.hold(),
    end: (_, { redisLink }) => redisLink.heal(),
  },
  {
    ...HARMLESS,
    // Far below the time-outs, or it would be a cut.
    name: "slow the link to Redis down by 40 ms",
    weight: 3,
    lengthMs: [200, 2000],
    on: ["redis link"],
    begin: (_, { redisLink }) => redisLink.delay(40),
    end: (_, { redisLink }) => redisLink.heal(),
  },
  {
    ...HARMLESS,
    name: "pause MariaDB",
    weight: 2,
    lengthMs: [100, 1500],
    on: ["mysql"],
    begin: ({ mysql }) => mysql.pause(),
    end: ({ mysql }) => mysql.resume(),
  },
  {
    ...HARMLESS,
    name: "kill MariaDB",
    weight: 1,
    lengthMs: [50, 500],
    on: ["mysql"],
    begin: ({ mysql }) => mysql.stop(),
    end: ({ mysql }) => mysql.start(),
  },
  {
    ...HARMLESS,
    name: "cut the link to MariaDB",
    weight: 2,
    lengthMs: [50, 1500],
    on: ["mysql link"],
    begin: (_, { mysqlLink }) => mysqlLink.cut(),
    end: (_, { mysqlLink }) => mysqlLink.heal(),
  },
  {
    ...HARMLESS,
    name: "silence the link to MariaDB",
    weight: 2,
    lengthMs: [50, 1500],
    on: ["mysql link"],
    begin: (_, { mysqlLink }) => mysqlLink.hold(),
    end: (_, { mysqlLink }) => mysqlLink.heal(),
  },
  {
    ...HARMLESS,
    name: "slow the link to MariaDB down by 20 ms",
    weight: 2,
    lengthMs: [200, 2000],
    on: ["mysql link"],
    begin: (_, { mysqlLink }) => mysqlLink.delay(20),
    end: (_, { mysqlLink }) => mysqlLink.heal(),
  },
  {
    ...HARMLESS,
    name: "pause",
    weight: 3,
    lengthMs: [100, 2000],
    on: ["replica"],
    begin: (_, replica) => replica.pause(),
    end: (_, replica) => replica.resume(),
  },
  {
    ...HARMLESS,
    name: "kill and restart",
    weight: 3,
    lengthMs: [0, 500],
    on: ["replica"],
    begin: (_, replica) => replica.kill(),
    end: (_, replica) => replica.start(),
  },
];

async function tellRedis(redis: Cluster["redis"], command: string): Promise<void> {
  const reply = await askRedis(redis, command);
  if (reply.startsWith("-")) throw new Error(`Cannot run ${command} in Redis: ${reply}`);
}
