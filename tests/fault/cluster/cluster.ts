import { startMariadb, type TestMariadb } from "../../support/mysql/mariadb.ts";
import { startRedis, type ThrowawayRedis } from "../../support/redis/redis.ts";
import type { ServiceSetup } from "../../support/service/service.ts";
import { type ProgramOptions, runProgram } from "../../support/service/program.ts";
import { TcpProxy } from "../../support/network/tcp_proxy.ts";
import { Crowd } from "../clients/crowd.ts";
import { Database, STALLING_ARGUMENTS } from "./database.ts";
import { RedisPair } from "./redis_pair.ts";
import { RedisRoute } from "./redis_route.ts";
import { RedisSnapshot } from "./redis_snapshot.ts";
import { Replica } from "./replica.ts";

/** The configuration without Redis: a setting cannot remove an address, only add one. */
const CONFIG = "configs/config.embedded.yaml";

const SETTINGS = {
  "data.database.driver": "mysql",
  "server.grpc.timeout": "1s",
  "data.redis.read_timeout": "200ms",
  "data.redis.write_timeout": "200ms",
};

const DATABASE = "cacheserver";

/**
 * First in the order of keys. InnoDB makes an INSERT of a key that was just deleted wait for the row of the next key; this
 * key follows no key of the workload.
 */
const CROWD_KEY = "0 of the crowd";

/** How the replicas reach Redis. */
export type Topology = "one Redis" | "two under sentinels";

export const TOPOLOGIES: readonly Topology[] = ["one Redis", "two under sentinels"];

export interface ClusterOptions {
  readonly topology: Topology;
  readonly programOptions: ProgramOptions;
}

/** The parts of a cluster, which its owner disposes of. */
type Parts = Pick<Cluster, "mysql" | "database" | "redisSnapshot" | "redisPair" | "replicas">;

/** Several replicas over a MariaDB and a Redis of their own, or over a master and its replica. */
export class Cluster implements AsyncDisposable {
  readonly mysql: TestMariadb;
  readonly database: Database;
  /** The snapshot of the single Redis, or of the first. */
  readonly redisSnapshot: RedisSnapshot;
  /** Undefined with a single Redis. */
  readonly redisPair: RedisPair | undefined;
  readonly replicas: readonly Replica[];
  readonly crowd = new Crowd(CROWD_KEY);
  readonly #redis: ThrowawayRedis;
  readonly #resources: AsyncDisposableStack;

  private constructor(redis: ThrowawayRedis, parts: Parts, resources: AsyncDisposableStack) {
    this.#redis = redis;
    this.mysql = parts.mysql;
    this.database = parts.database;
    this.redisSnapshot = parts.redisSnapshot;
    this.redisPair = parts.redisPair;
    this.replicas = parts.replicas;
    this.#resources = resources;
  }

  /** Resolves once every replica takes calls. */
  static async start(count: number, { topology, programOptions }: ClusterOptions): Promise<Cluster> {
    await using resources = new AsyncDisposableStack();
    const folder = await Deno.makeTempDir({ prefix: "cacheserver-redis-" });
    const redisArgs = ["--dir", folder, "--repl-diskless-sync-delay", "0"];
    const redis = await startRedis({ args: redisArgs });
    const redisSnapshot = resources.use(new RedisSnapshot(redis, folder));
    resources.use(redis);
    const servers: ThrowawayRedis[] = [redis];
    let redisPair: RedisPair | undefined;
    if (topology === "two under sentinels") {
      const second = resources.use(
        await startRedis({ args: [...redisArgs, "--dbfilename", "second.rdb"] }),
      );
      servers.push(second);
      redisPair = new RedisPair([redis, second]);
      await redisPair.join();
    }
    // Acknowledged changes are on disk.
    const args = ["--innodb-flush-log-at-trx-commit=1", ...STALLING_ARGUMENTS];
    const mysql = resources.use(await startMariadb({ args }));
    const database = resources.use(new Database(mysql, DATABASE));
    const replicas: Replica[] = [];
    for (let index = 1; index <= count; index++) {
      const redisRoute = resources.use(await RedisRoute.open(servers));
      const mysqlLink = resources.use(await TcpProxy.open(mysql));
      const setup: ServiceSetup = {
        config: CONFIG,
        settings: {
          ...SETTINGS,
          ...redisRoute.settings,
          "data.database.source": source(mysql, mysqlLink.port),
        },
        programOptions,
      };
      replicas.push(resources.use(new Replica({ name: `replica ${index}`, redisRoute, mysqlLink, setup })));
    }
    await migrate(replicas[0]!.setup);
    await Promise.all(replicas.map((replica) => replica.start()));
    return new Cluster(redis, { mysql, database, redisSnapshot, redisPair, replicas }, resources.move());
  }

  /** The single Redis, or the master. */
  get redis(): ThrowawayRedis {
    return this.redisPair?.master ?? this.#redis;
  }

  /** Resolves once every replica reports that it reaches both servers. */
  async healthy(): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica.healthy()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

async function migrate({ config, settings }: ServiceSetup): Promise<void> {
  const flags = Object.entries(settings).flatMap(([path, value]) => ["--set", `${path}=${value}`]);
  const { code, stderr } = await runProgram(["migrate", "--config", config, ...flags]);
  if (code !== 0) throw new Error(`Cannot migrate: ${stderr}`);
}

function source({ user, password, hostname }: TestMariadb, port: number): string {
  return `${user}:${password}@tcp(${hostname}:${port})/${DATABASE}?parseTime=True&loc=Local`;
}
