import type { Clock, Timer } from "../core/clock.ts";
import { type ClusterMaster, nodeName, readClusterNodes } from "./redis_cluster_view.ts";
import { isRefusal, type RedisClient } from "./redis_client.ts";
import type { RedisAddress } from "./redis_options.ts";
import { SlotMap } from "./redis_slot_map.ts";

/** What the nodes of a cluster are found with. */
export interface RedisClusterNodesOptions {
  /** Nodes that are asked for the others, at first and whenever none that is known answers. */
  readonly seeds: readonly RedisAddress[];
  readonly clock: Clock;
  /** Opens a connection. */
  readonly connect: (address: RedisAddress) => RedisClient;
  /** Told of what a node answers instead of saying which nodes there are. */
  readonly onError: (error: Error) => void;
}

/** Called as the masters of a cluster change. */
export interface ClusterWatcher {
  /** A master was found; `client` may not be connected yet. */
  onMaster(name: string, client: RedisClient, address: RedisAddress): void;
  /** A master is none any more; its connection is about to be closed. */
  onGone(name: string): void;
  /** Every master has answered a question sent at `atMs`, and none of them knows another one. */
  onAgreed(atMs: number): void;
}

/** How often each master is asked which nodes there are: a line of text a node, four times a second. */
const ASK_INTERVAL_MS = 250;

/** How long the answer of one node may keep those of the others from being used. */
const ASK_TIMEOUT_MS = 500;

/** How long a node that is no master any more may take to answer what it was sent before. */
const RETIRE_TIMEOUT_MS = 1000;

/**
 * The masters of a cluster, each with a connection, as the nodes themselves name them again and again.
 *
 * All masters are asked, not one: a failover or a slot that moves is known to the nodes it concerns before the others
 * hear of it, and whoever trusts local memory has to know every node at which a key may change.
 */
export class RedisClusterNodes implements AsyncDisposable {
  readonly #options: RedisClusterNodesOptions;
  /** Masters, and seeds for as long as no master has answered. */
  readonly #clients = new Map<string, RedisClient>();
  readonly #addresses = new Map<string, RedisAddress>();
  readonly #retiring = new Set<Promise<void>>();
  readonly #watchers: ClusterWatcher[] = [];
  readonly #refreshing = new Map<string, Promise<void>>();
  /** What single nodes have said since all of them were asked last. */
  readonly #refreshed = new Map<string, readonly ClusterMaster[]>();
  #views: ReadonlyMap<string, readonly ClusterMaster[]> = new Map();
  #map = new SlotMap();
  #isAsking = false;
  #timer: Timer | undefined;
  #disposed = false;
  readonly #ready = Promise.withResolvers<void>();

  /** Starts to look for the nodes. */
  constructor(options: RedisClusterNodesOptions) {
    this.#options = options;
    this.#openSeeds();
    this.#askLater();
  }

  /** Resolves when the masters are known and each could be sent to. */
  ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** The names of all masters, those without slots too. */
  get masters(): readonly string[] {
    return [...this.#map.masters.keys()];
  }

  /** The connection to a master; undefined where none has this name. */
  client(name: string): RedisClient | undefined {
    return this.#map.masters.has(name) ? this.#clients.get(name) : undefined;
  }

  /** The name of the master that has the slot, as far as is known. */
  ownerOf(slot: number): string | undefined {
    return this.#map.ownerOf(slot);
  }

  /** Tells of the masters that there are, at once, and of all changes. */
  watch(watcher: ClusterWatcher): void {
    this.#watchers.push(watcher);
    for (const [name, address] of this.#map.masters) {
      watcher.onMaster(name, this.#clients.get(name)!, address);
    }
  }

  /** Resolves once what this node knows is known here as well, or it has not answered in time. */
  refresh(name: string): Promise<void> {
    const asked = this.#refreshing.get(name);
    if (asked !== undefined) return asked;
    const refreshed = this.#refresh(name).finally(() => this.#refreshing.delete(name));
    this.#refreshing.set(name, refreshed);
    return refreshed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    this.#timer?.cancel();
    const clients = [...this.#clients.values()].map((client) => client[Symbol.asyncDispose]());
    await Promise.all([...clients, ...this.#retiring]);
  }

  #open(name: string, address: RedisAddress): RedisClient {
    const client = this.#options.connect(address);
    this.#clients.set(name, client);
    this.#addresses.set(name, address);
    client.watch({ onReady: () => this.#askSoon(), onLost: () => this.#askSoon() });
    return client;
  }

  #openSeeds(): void {
    for (const seed of this.#options.seeds) {
      const name = nodeName(seed);
      if (!this.#clients.has(name)) this.#open(name, seed);
    }
  }

  /** Something has happened to a connection, and perhaps to the cluster. */
  #askSoon(): void {
    if (this.#isReady()) this.#ready.resolve();
    if (!this.#isAsking) this.#askAll();
  }

  #askLater(): void {
    if (this.#disposed) return;
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimer(() => this.#askAll(), ASK_INTERVAL_MS, "background");
  }

  async #askAll(): Promise<void> {
    if (this.#disposed) return;
    this.#isAsking = true;
    this.#refreshed.clear();
    const sentAtMs = this.#options.clock.now();
    const names = [...this.#clients].filter(([, client]) => client.isReady).map(([name]) => name);
    const answers = await Promise.all(names.map(async (name) => [name, await this.#ask(name)] as const));
    this.#isAsking = false;
    if (this.#disposed) return;
    const views = new Map(answers.flatMap(([name, view]) => view === undefined ? [] : [[name, view]]));
    // What a node has been asked in between is newer.
    for (const [name, view] of this.#refreshed) views.set(name, view);
    this.#askLater();
    if (views.size === 0) return this.#openSeeds();
    this.#use(views);
    // A master that has just been found has not been asked yet.
    if (this.masters.every((name) => views.has(name))) {
      for (const watcher of this.#watchers) watcher.onAgreed(sentAtMs);
    }
  }

  async #refresh(name: string): Promise<void> {
    const view = await this.#ask(name);
    if (view === undefined || this.#disposed) return;
    this.#refreshed.set(name, view);
    this.#use(new Map([...this.#views, [name, view]]));
  }

  /** What one node knows; undefined where it does not say in time. */
  async #ask(name: string): Promise<readonly ClusterMaster[] | undefined> {
    const client = this.#clients.get(name);
    if (client === undefined || !client.isReady) return undefined;
    try {
      const reply = await this.#within(ASK_TIMEOUT_MS, client.call("CLUSTER", "NODES"));
      return typeof reply === "string" ? readClusterNodes(reply, this.#addresses.get(name)!) : undefined;
    } catch (error) {
      if (isRefusal(error) && error instanceof Error) this.#options.onError(error);
      return undefined;
    }
  }

  #use(views: ReadonlyMap<string, readonly ClusterMaster[]>): void {
    this.#views = views;
    const before = this.#map.masters;
    this.#map = new SlotMap(views.values());
    for (const name of before.keys()) {
      if (!this.#map.masters.has(name)) { for (const watcher of this.#watchers) watcher.onGone(name); }
    }
    for (const [name, client] of this.#clients) if (!this.#map.masters.has(name)) this.#retire(name, client);
    for (const [name, address] of this.#map.masters) {
      if (before.has(name)) continue;
      const client = this.#clients.get(name) ?? this.#open(name, address);
      for (const watcher of this.#watchers) watcher.onMaster(name, client, address);
    }
    if (this.#isReady()) this.#ready.resolve();
  }

  #isReady(): boolean {
    return this.masters.length > 0 && this.masters.every((name) => this.#clients.get(name)!.isReady);
  }

  /** Closes a connection behind the answers to what it was sent. */
  #retire(name: string, client: RedisClient): void {
    this.#clients.delete(name);
    this.#addresses.delete(name);
    const answered = Promise.try(() => client.ping());
    const closed = this.#within(RETIRE_TIMEOUT_MS, answered).catch(() => {})
      .then(() => client[Symbol.asyncDispose]()).finally(() => this.#retiring.delete(closed));
    this.#retiring.add(closed);
  }

  /** As `work`, or undefined when that takes longer. */
  async #within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
    const { promise: tooLate, resolve } = Promise.withResolvers<undefined>();
    const timer = this.#options.clock.setTimer(() => resolve(undefined), ms, "background");
    try {
      return await Promise.race([work, tooLate]);
    } finally {
      timer.cancel();
    }
  }
}
