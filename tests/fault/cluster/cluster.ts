import { startMariadb, type TestMariadb } from "../../support/mariadb.ts";
import { startRedis, type ThrowawayRedis } from "../../support/redis.ts";
import type { ServiceSetup } from "../../support/service.ts";
import { type ProgramOptions, runProgram } from "../../support/service_program.ts";
import { TcpProxy } from "../../support/tcp_proxy.ts";
import { RedisSnapshot } from "./redis_snapshot.ts";
import { Replica } from "./replica.ts";

/** What `serve` and `migrate` are told where they are not told anything else. */
const CONFIG = "configs/config.local.yaml";

/** Several replicas over a Redis and a MariaDB of their own. */
export class Cluster implements AsyncDisposable {
  readonly redis: ThrowawayRedis;
  readonly redisSnapshot: RedisSnapshot;
  readonly mysql: TestMariadb;
  readonly replicas: readonly Replica[];
  readonly #resources: AsyncDisposableStack;

  private constructor(
    { redis, redisSnapshot, mysql }: Pick<Cluster, "redis" | "redisSnapshot" | "mysql">,
    replicas: readonly Replica[],
    resources: AsyncDisposableStack,
  ) {
    this.redis = redis;
    this.redisSnapshot = redisSnapshot;
    this.mysql = mysql;
    this.replicas = replicas;
    this.#resources = resources;
  }

  /** Resolves once every replica takes calls. */
  static async start(count: number, programOptions: ProgramOptions): Promise<Cluster> {
    await using resources = new AsyncDisposableStack();
    const folder = await Deno.makeTempDir({ prefix: "cacheserver-redis-" });
    const redis = await startRedis({ args: ["--dir", folder] });
    const redisSnapshot = resources.use(new RedisSnapshot(redis, folder));
    resources.use(redis);
    // Whatever is acknowledged is on disk.
    const mysql = resources.use(await startMariadb({ args: ["--innodb-flush-log-at-trx-commit=1"] }));
    await migrate(mysql);
    const replicas: Replica[] = [];
    for (let index = 1; index <= count; index++) {
      const redisLink = resources.use(await TcpProxy.open(redis));
      const mysqlLink = resources.use(await TcpProxy.open(mysql));
      const setup: ServiceSetup = {
        config: CONFIG,
        settings: {
          "data.redis.addr": `127.0.0.1:${redisLink.port}`,
          "data.database.source": source(mysql, mysqlLink.port),
        },
        programOptions,
      };
      replicas.push(resources.use(new Replica({ name: `replica ${index}`, redisLink, mysqlLink, setup })));
    }
    await Promise.all(replicas.map((replica) => replica.start()));
    return new Cluster({ redis, redisSnapshot, mysql }, replicas, resources.move());
  }

  /** Resolves once every replica says that it reaches both servers. */
  async healthy(): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica.healthy()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

async function migrate(mysql: TestMariadb): Promise<void> {
  const { code, stderr } = await runProgram([
    "migrate",
    "--config",
    CONFIG,
    "--set",
    `data.database.source=${source(mysql, mysql.port)}`,
  ]);
  if (code !== 0) throw new Error(`Cannot migrate: ${stderr}`);
}

function source({ user, password, hostname }: TestMariadb, port: number): string {
  return `${user}:${password}@tcp(${hostname}:${port})/cacheserver?parseTime=True&loc=Local`;
}
