import { CacheClient } from "../../support/client/client.ts";
import { type RunningService, type ServiceSetup, startService } from "../../support/service/service.ts";
import type { TcpProxy } from "../../support/network/tcp_proxy.ts";
import { waitFor } from "../../support/wait_for.ts";
import type { RedisRoute } from "./redis_route.ts";

/** One process of a replica. */
export interface ReplicaProcess {
  /** Unique within the cluster: `replica 2, process 1`. */
  readonly name: string;
  /** The replica's. */
  readonly replica: string;
  readonly address: string;
}

export interface ReplicaOptions {
  readonly name: string;
  readonly redisRoute: RedisRoute;
  readonly mysqlLink: TcpProxy;
  /** Its configuration, which leads to the links. */
  readonly setup: ServiceSetup;
}

/** One of several services that share Redis and MySQL, each with links of its own to them. */
export class Replica implements AsyncDisposable {
  readonly name: string;
  readonly redisRoute: RedisRoute;
  readonly mysqlLink: TcpProxy;
  readonly setup: ServiceSetup;
  #starts = 0;
  #service: RunningService | undefined;
  #process: ReplicaProcess | undefined;

  constructor({ name, redisRoute, mysqlLink, setup }: ReplicaOptions) {
    this.name = name;
    this.redisRoute = redisRoute;
    this.mysqlLink = mysqlLink;
    this.setup = setup;
  }

  /** The link to the Redis that it uses as the master. */
  get redisLink(): TcpProxy {
    return this.redisRoute.link;
  }

  /** Undefined while it is down. */
  get process(): ReplicaProcess | undefined {
    return this.#process;
  }

  /** Resolves once it takes calls. */
  async start(): Promise<void> {
    this.#service = await startService(this.setup);
    this.#process = {
      name: `${this.name}, process ${++this.#starts}`,
      replica: this.name,
      address: this.#service.address,
    };
  }

  /** Rejects if its process has ended by itself or logged an internal error, which no fault may cause. */
  async kill(): Promise<void> {
    this.#process = undefined;
    this.#service?.requireSound();
    await this.#service?.kill();
  }

  pause(): void {
    this.#service?.signal("SIGSTOP");
  }

  resume(): void {
    this.#service?.signal("SIGCONT");
  }

  /** Resolves once it reports that it reaches both servers. */
  async healthy(): Promise<void> {
    if (this.#process === undefined) throw new Error(`Cannot ask ${this.name}: it is down`);
    this.#service?.requireSound();
    using client = new CacheClient(this.#process.address);
    await waitFor(async () => {
      const tiers = await Promise.all([client.health("redis"), client.health("database")]);
      return tiers.every((status) => status === "SERVING");
    }, { what: `${this.name} to reach Redis and MySQL`, timeoutMs: 15_000 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Also ends a frozen process.
    await this.#service?.kill();
  }
}
