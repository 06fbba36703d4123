import type { ThrowawayRedis } from "../../support/redis/redis.ts";
import { ScriptedSentinel } from "../../support/redis/scripted_sentinel.ts";
import { TcpProxy } from "../../support/network/tcp_proxy.ts";

/** How one replica reaches Redis: over its own link to each server, and with two servers by its own sentinel. */
export class RedisRoute implements AsyncDisposable {
  readonly #links: readonly TcpProxy[];
  readonly #sentinel: ScriptedSentinel | undefined;
  #followed = 0;

  private constructor(links: readonly TcpProxy[], sentinel: ScriptedSentinel | undefined) {
    this.#links = links;
    this.#sentinel = sentinel;
  }

  /** The first server is the master. */
  static async open(servers: readonly ThrowawayRedis[]): Promise<RedisRoute> {
    const links = await Promise.all(servers.map((server) => TcpProxy.open(server)));
    const sentinel = links.length > 1 ? await ScriptedSentinel.start(links[0]!.port) : undefined;
    return new RedisRoute(links, sentinel);
  }

  /** The link to the server that the replica takes for the master. */
  get link(): TcpProxy {
    return this.#links[this.#followed]!;
  }

  /** The settings of Redis in the replica's configuration. */
  get settings(): Record<string, string> {
    if (this.#sentinel === undefined) return { "data.redis.addr": `127.0.0.1:${this.link.port}` };
    return {
      "data.redis.sentinel.master_name": "cache",
      "data.redis.sentinel.addrs": `127.0.0.1:${this.#sentinel.port}`,
    };
  }

  /** Makes the sentinel name another server, and ends the connections to the one before. */
  follow(server: number): void {
    const before = this.link;
    this.#followed = server;
    if (this.#sentinel !== undefined) this.#sentinel.masterPort = this.link.port;
    before.cut();
    before.heal();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sentinel?.[Symbol.asyncDispose]();
    await Promise.all(this.#links.map((link) => link[Symbol.asyncDispose]()));
  }
}
