import { freePort } from "../network/free_port.ts";
import { askRedis, startRedis, type ThrowawayRedis } from "./redis.ts";
import { answers, spawnSentinel, writeSentinelConfig } from "./sentinel.ts";
import type { Endpoint } from "../../../src/core/endpoint.ts";
import { TcpProxy } from "../network/tcp_proxy.ts";
import { waitFor } from "../wait_for.ts";

const HOSTNAME = "127.0.0.1";

/** The settings by which one side finds its master. */
type Way = Readonly<Record<string, string>>;

/**
 * A master and its replica, which two sides find by separate sentinels:
 *
 *     one side, its sentinel, the replica  ->  a link, which the test can cut  ->  the master
 *     the other side, its sentinel         ->  the master
 *
 * When the link is cut, the first sentinel promotes the replica. The other side keeps the old master, which still takes
 * changes: two masters at once.
 */
export class TwoMasters implements AsyncDisposable {
  readonly #resources = new AsyncDisposableStack();
  readonly old: ThrowawayRedis;
  readonly next: ThrowawayRedis;
  readonly #link: TcpProxy;
  readonly #followingPort: number;
  readonly #stayingPort: number;

  private constructor(old: ThrowawayRedis, next: ThrowawayRedis, link: TcpProxy, ports: [number, number]) {
    this.old = old;
    this.next = next;
    this.#link = link;
    [this.#followingPort, this.#stayingPort] = ports;
  }

  static async start(): Promise<TwoMasters> {
    await using resources = new AsyncDisposableStack();
    const folder = await Deno.makeTempDir({ prefix: "cacheserver-two-masters-" });
    resources.defer(() => Deno.remove(folder, { recursive: true }));
    const args = ["--dir", folder, "--repl-diskless-sync-delay", "0"];
    const old = resources.use(await startRedis({ args }));
    const link = resources.use(await TcpProxy.open(old));
    const replicaOf = ["--replicaof", HOSTNAME, String(link.port)];
    const next = resources.use(
      await startRedis({ args: [...args, "--dbfilename", "next.rdb", ...replicaOf] }),
    );
    const ports: [number, number] = [freePort(), freePort()];
    const masters = [{ hostname: HOSTNAME, port: link.port }, old];
    for (const [side, name] of ["following", "staying"].entries()) {
      const path = `${folder}/${name}.conf`;
      await writeSentinelConfig(path, { name, port: ports[side]!, master: masters[side]! });
      resources.use(spawnSentinel(path));
    }
    await waitFor(() => answers(next, "INFO replication", /master_link_status:up/), {
      what: "the replica to have what the master has",
      timeoutMs: 10_000,
    });
    const sentinel = { hostname: HOSTNAME, port: ports[0] };
    await waitFor(() => answers(sentinel, "SENTINEL master following", /num-slaves\r\n\$1\r\n1/), {
      what: "the sentinel to know the replica",
      timeoutMs: 20_000,
    });
    const setting = new TwoMasters(old, next, link, ports);
    setting.#resources.use(resources.move());
    return setting;
  }

  /** For the side that follows to the new master at once. */
  get following(): Way {
    return this.#way("following", this.#followingPort);
  }

  /** For the side that stays with the old master. */
  get staying(): Way {
    return this.#way("staying", this.#stayingPort);
  }

  /** Resolves once there are two masters. */
  async split(): Promise<void> {
    this.#link.refuse();
    await waitFor(() => answers(this.next, "INFO replication", /role:master/), {
      what: "the replica to be promoted",
      timeoutMs: 15_000,
    });
  }

  /** Makes the other side follow to the new master. */
  async join(): Promise<void> {
    const sentinel: Endpoint = { hostname: HOSTNAME, port: this.#stayingPort };
    await askRedis(sentinel, "SENTINEL REMOVE staying");
    await askRedis(sentinel, `SENTINEL MONITOR staying ${HOSTNAME} ${this.next.port} 1`);
    await askRedis(this.old, `REPLICAOF ${HOSTNAME} ${this.next.port}`);
    await askRedis(this.old, "CLIENT KILL TYPE normal");
    await askRedis(this.old, "CLIENT KILL TYPE pubsub");
  }

  #way(name: string, port: number): Way {
    return { "data.redis.sentinel.master_name": name, "data.redis.sentinel.addrs": `${HOSTNAME}:${port}` };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}
