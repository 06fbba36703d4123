import { askRedis, type ThrowawayRedis } from "../../support/redis/redis.ts";
import { waitFor } from "../../support/wait_for.ts";
import type { Replica } from "./replica.ts";
import { commandRedis } from "./command_redis.ts";

/**
 * A master and its replica under sentinels. A failover that does not reach every service makes two masters of them:
 *
 *     sentinels promote the second; A and C follow    B does not reach them, and writes to the first, which is alive
 *     the partition heals: the first becomes the second's replica, and loses what B wrote there
 */
export class RedisPair {
  readonly #servers: readonly [ThrowawayRedis, ThrowawayRedis];
  #master: 0 | 1 = 0;

  /** Both are running. */
  constructor(servers: readonly [ThrowawayRedis, ThrowawayRedis]) {
    this.#servers = servers;
  }

  get master(): ThrowawayRedis {
    return this.#servers[this.#master];
  }

  /** Makes the second server replicate the first, and resolves once it is in sync. */
  async join(): Promise<void> {
    const follower = this.#servers[this.#other];
    await commandRedis(follower, `REPLICAOF ${this.master.hostname} ${this.master.port}`);
    await waitFor(async () => /master_link_status:up/.test(await askRedis(follower, "INFO replication")), {
      what: "the second Redis to have what the first has",
      timeoutMs: 10_000,
    });
  }

  /** Promotes the second server; all replicas but one follow. */
  async split(replicas: readonly Replica[], staying: Replica): Promise<void> {
    const next = this.#other;
    await commandRedis(this.#servers[next], "REPLICAOF NO ONE");
    for (const replica of replicas) if (replica !== staying) replica.redisRoute.follow(next);
  }

  /** The last replica follows too; the first server becomes the second's replica. */
  async heal(staying: Replica): Promise<void> {
    this.#master = this.#other;
    staying.redisRoute.follow(this.#master);
    await this.join();
  }

  get #other(): 0 | 1 {
    return this.#master === 0 ? 1 : 0;
  }
}
