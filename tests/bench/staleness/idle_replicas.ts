import { type RunningService, startService } from "../../support/service/service.ts";
import type { ServersProfile } from "../../support/service/profile.ts";
import { TcpProxy } from "../../support/network/tcp_proxy.ts";
import { cpuMs } from "../process_figures.ts";

/** The bytes that replicas received, and the CPU time that they spent. */
export interface Received {
  readonly receivedBytes: number;
  /** NaN if the system does not report it. */
  readonly cpuMs: number;
}

/** After this time without bytes, everything has arrived. */
const QUIET_MS = 50;

/** Replicas without clients, which only receive invalidations from Redis; each over a proxy that counts bytes. */
export class IdleReplicas implements AsyncDisposable {
  readonly #resources: AsyncDisposableStack;
  readonly #services: readonly RunningService[];
  readonly #lines: readonly TcpProxy[];

  private constructor(
    resources: AsyncDisposableStack,
    services: readonly RunningService[],
    lines: readonly TcpProxy[],
  ) {
    this.#resources = resources;
    this.#services = services;
    this.#lines = lines;
  }

  /** Starts `count` replicas and resolves once Redis tracks the keys of each. */
  static async start(count: number, profile: ServersProfile): Promise<IdleReplicas> {
    await using resources = new AsyncDisposableStack();
    const services: RunningService[] = [];
    const lines: TcpProxy[] = [];
    for (let replica = 0; replica < count; replica++) {
      const { hostname, port } = new URL(`redis://${profile.settings["data.redis.addr"]}`);
      const line = resources.use(await TcpProxy.open({ hostname, port: Number(port) }));
      const settings = { "data.redis.addr": `127.0.0.1:${line.port}` };
      const service = resources.use(await startService(profile, settings));
      await service.logged("invalidations");
      services.push(service);
      lines.push(line);
    }
    return new IdleReplicas(resources.move(), services, lines);
  }

  /** The totals of all replicas since they began, once nothing more arrives. */
  async received(): Promise<Received> {
    for (let before = -1; before !== this.#receivedBytes;) {
      before = this.#receivedBytes;
      await pause(QUIET_MS);
    }
    return {
      receivedBytes: this.#receivedBytes,
      cpuMs: this.#services.reduce((sum, { pid }) => sum + (cpuMs(pid) ?? NaN), 0),
    };
  }

  /** The totals of `ms` without writes: pings and the service's own timers. */
  async idle(ms: number): Promise<Received> {
    const before = await this.received();
    await pause(ms);
    return difference(before, await this.received());
  }

  get #receivedBytes(): number {
    return this.#lines.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

/** The difference of two totals. */
export function difference(before: Received, after: Received): Received {
  return {
    receivedBytes: after.receivedBytes - before.receivedBytes,
    cpuMs: after.cpuMs - before.cpuMs,
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
