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
  /** `replica` is one chosen at random, for those that are done to one. */
  begin(cluster: Cluster, replica: Replica): void | Promise<void>;
  end(cluster: Cluster, replica: Replica): void | Promise<void>;
}

/** Every fault there is. */
export const FAULT_KINDS: readonly FaultKind[] = [
  {
    name: "pause Redis",
    weight: 3,
    lengthMs: [100, 1500],
    on: ["redis"],
    emptiesRedis: false,
    begin: ({ redis }) => redis.pause(),
    end: ({ redis }) => redis.resume(),
  },
  {
    name: "kill Redis, and start it empty",
    weight: 2,
    lengthMs: [50, 1000],
    on: ["redis"],
    emptiesRedis: true,
    begin: ({ redis }) => redis.stop(),
    end: ({ redis }) => redis.start(),
  },
  {
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
    name: "FLUSHALL",
    weight: 3,
    lengthMs: [0, 0],
    on: ["redis"],
    emptiesRedis: true,
    begin: ({ redis }) => tellRedis(redis, "FLUSHALL"),
    end() {},
  },
  {
    // As a master does that has lost its replicas, or whose disk is full. Past every grace: see "cut the link".
    name: "have Redis refuse changes",
    weight: 3,
    lengthMs: [50, 6000],
    on: ["redis"],
    emptiesRedis: false,
    begin: ({ redis }) => tellRedis(redis, "CONFIG SET min-replicas-to-write 1"),
    end: ({ redis }) => tellRedis(redis, "CONFIG SET min-replicas-to-write 0"),
  },
  {
    name: "CLIENT KILL of the subscribers",
    weight: 2,
    lengthMs: [0, 0],
    on: ["redis"],
    emptiesRedis: false,
    begin: ({ redis }) => tellRedis(redis, "CLIENT KILL TYPE pubsub"),
    end() {},
  },
  {
    name: "CLIENT KILL of the others",
    weight: 1,
    lengthMs: [0, 0],
    on: ["redis"],
    emptiesRedis: false,
    begin: ({ redis }) => tellRedis(redis, "CLIENT KILL TYPE normal SKIPME yes"),
    end() {},
  },
  {
    name: "cut every link to Redis",
    weight: 3,
    lengthMs: [50, 1500],
    on: ["redis", "every redis link"],
    emptiesRedis: false,
    begin: ({ replicas }) => replicas.forEach(({ redisLink }) => redisLink.cut()),
    end: ({ replicas }) => replicas.forEach(({ redisLink }) => redisLink.heal()),
  },
  {
    name: "cut the link to Redis",
    weight: 3,
    // Past every grace: it is the outbox that must end what is stale at the others.
    lengthMs: [50, 6000],
    on: ["redis link"],
    emptiesRedis: false,
    begin: (_, { redisLink }) => redisLink.cut(),
    end: (_, { redisLink }) => redisLink.heal(),
  },
  {
    name: "silence the link to Redis",
    weight: 3,
    lengthMs: [50, 6000],
    on: ["redis link"],
    emptiesRedis: false,
    begin: (_, { redisLink }) => redisLink.hold(),
    end: (_, { redisLink }) => redisLink.heal(),
  },
  {
    // Far below the time-outs, or it would be a cut.
    name: "slow the link to Redis down by 40 ms",
    weight: 3,
    lengthMs: [200, 2000],
    on: ["redis link"],
    emptiesRedis: false,
    begin: (_, { redisLink }) => redisLink.delay(40),
    end: (_, { redisLink }) => redisLink.heal(),
  },
  {
    name: "pause MariaDB",
    weight: 2,
    lengthMs: [100, 1500],
    on: ["mysql"],
    emptiesRedis: false,
    begin: ({ mysql }) => mysql.pause(),
    end: ({ mysql }) => mysql.resume(),
  },
  {
    name: "kill MariaDB",
    weight: 1,
    lengthMs: [50, 500],
    on: ["mysql"],
    emptiesRedis: false,
    begin: ({ mysql }) => mysql.stop(),
    end: ({ mysql }) => mysql.start(),
  },
  {
    name: "cut the link to MariaDB",
    weight: 2,
    lengthMs: [50, 1500],
    on: ["mysql link"],
    emptiesRedis: false,
    begin: (_, { mysqlLink }) => mysqlLink.cut(),
    end: (_, { mysqlLink }) => mysqlLink.heal(),
  },
  {
    name: "silence the link to MariaDB",
    weight: 2,
    lengthMs: [50, 1500],
    on: ["mysql link"],
    emptiesRedis: false,
    begin: (_, { mysqlLink }) => mysqlLink.hold(),
    end: (_, { mysqlLink }) => mysqlLink.heal(),
  },
  {
    name: "slow the link to MariaDB down by 20 ms",
    weight: 2,
    lengthMs: [200, 2000],
    on: ["mysql link"],
    emptiesRedis: false,
    begin: (_, { mysqlLink }) => mysqlLink.delay(20),
    end: (_, { mysqlLink }) => mysqlLink.heal(),
  },
  {
    name: "pause",
    weight: 3,
    lengthMs: [100, 2000],
    on: ["replica"],
    emptiesRedis: false,
    begin: (_, replica) => replica.pause(),
    end: (_, replica) => replica.resume(),
  },
  {
    name: "kill and restart",
    weight: 3,
    lengthMs: [0, 500],
    on: ["replica"],
    emptiesRedis: false,
    begin: (_, replica) => replica.kill(),
    end: (_, replica) => replica.start(),
  },
];

async function tellRedis(redis: Cluster["redis"], command: string): Promise<void> {
  const reply = await askRedis(redis, command);
  if (reply.startsWith("-")) throw new Error(`Cannot run ${command} in Redis: ${reply}`);
}
