import { type Clock, within } from "../../../core/clock.ts";
import { type ClusterView, readClusterNodes } from "./view.ts";
import type { RedisClient } from "../client.ts";
import { isRefusal } from "../errors.ts";
import type { Endpoint } from "../../../core/endpoint.ts";

/** The parts of {@link RedisClusterConnections}. */
export interface RedisClusterConnectionsOptions {
  readonly clock: Clock;
  /** Opens a connection. */
  readonly connect: (address: Endpoint) => RedisClient;
  /** Called when a node refuses CLUSTER NODES. */
  readonly onError: (error: Error) => void;
}

/** Observes the connections by the name of their node. */
export interface NodeWatcher {
  onReady(name: string): void;
  onLost(name: string): void;
}

/** The longest that one node's answer delays the use of the others'. */
const ASK_TIMEOUT_MS = 500;

/** How long a retired node may take to answer earlier commands. */
const RETIRE_TIMEOUT_MS = 1000;

/** One connection for each node, by name, with the node's last view of its cluster. */
export class RedisClusterConnections implements AsyncDisposable {
  readonly #options: RedisClusterConnectionsOptions;
  readonly #watcher: NodeWatcher;
  readonly #clients = new Map<string, RedisClient>();
  readonly #addresses = new Map<string, Endpoint>();
  readonly #answers = new Map<string, ClusterView>();
  readonly #retiring = new Set<Promise<void>>();

  constructor(options: RedisClusterConnectionsOptions, watcher: NodeWatcher) {
    this.#options = options;
    this.#watcher = watcher;
  }

  get names(): readonly string[] {
    return [...this.#clients.keys()];
  }

  /** The last view of each node that has answered over its current connection. */
  get answers(): ReadonlyMap<string, ClusterView> {
    return this.#answers;
  }

  get(name: string): RedisClient | undefined {
    return this.#clients.get(name);
  }

  /** Opens a connection unless the node has one. */
  open(name: string, address: Endpoint): void {
    if (this.#clients.has(name)) return;
    const client = this.#options.connect(address);
    this.#clients.set(name, client);
    this.#addresses.set(name, address);
    client.watch({
      onReady: () => {
        if (this.#clients.get(name) === client) this.#watcher.onReady(name);
      },
      onLost: () => {
        if (this.#clients.get(name) !== client) return;
        // Another node may answer next.
        this.#answers.delete(name);
        this.#watcher.onLost(name);
      },
    });
  }

  /** Asks the node for its view; drops the last one if it does not answer in time. */
  async ask(name: string): Promise<void> {
    const client = this.#clients.get(name);
    if (client === undefined || !client.isReady) return;
    let view: ClusterView | undefined;
    try {
      const reply = await within(ASK_TIMEOUT_MS, client.call("CLUSTER", "NODES"), this.#options.clock);
      if (typeof reply === "string") view = readClusterNodes(reply, this.#addresses.get(name)!);
    } catch (error) {
      if (isRefusal(error) && error instanceof Error) this.#options.onError(error);
    }
    if (this.#clients.get(name) !== client) return;
    if (view === undefined) this.#answers.delete(name);
    else this.#answers.set(name, view);
  }

  /** Closes a connection once the commands sent over it are answered. */
  retire(name: string): void {
    const client = this.#clients.get(name);
    if (client === undefined) return;
    this.#clients.delete(name);
    this.#addresses.delete(name);
    this.#answers.delete(name);
    const answered = Promise.try(() => client.ping());
    const closed = within(RETIRE_TIMEOUT_MS, answered, this.#options.clock).catch(() => {})
      .then(() => client[Symbol.asyncDispose]()).finally(() => this.#retiring.delete(closed));
    this.#retiring.add(closed);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const clients = [...this.#clients.values()].map((client) => client[Symbol.asyncDispose]());
    await Promise.all([...clients, ...this.#retiring]);
  }
}
