import type { Timer } from "../../../core/clock.ts";
import type { RedisClient } from "../client.ts";
import { RedisClusterConnections, type RedisClusterConnectionsOptions } from "./connections.ts";
import { ClusterMembership } from "./membership.ts";
import { type ClusterView, nodeName } from "./view.ts";
import type { Endpoint } from "../../../core/endpoint.ts";
import { SlotMap } from "./slot_map.ts";

/** The parts of {@link RedisClusterNodes}. */
export interface RedisClusterNodesOptions extends RedisClusterConnectionsOptions {
  /** Configured nodes. They are asked at the start and whenever membership is in doubt. */
  readonly seeds: readonly Endpoint[];
  readonly observer: ClusterObserver;
}

/** Reports changes of membership to the operator. */
export interface ClusterObserver {
  /** This node is not a member of the current cluster and is no longer used. */
  clusterNodeLeft(name: string): void;
  /** Another cluster has replaced the current one. */
  clusterReplaced(): void;
  /** Nodes answer, but do not agree on a cluster. */
  clusterUndecided(): void;
}

/** Observes the masters of the cluster. */
export interface ClusterWatcher {
  /** A master was found; `client` may not be connected yet. */
  onMaster(name: string, client: RedisClient, address: Endpoint): void;
  /** A node is no longer a master; its connection is about to be closed. */
  onGone(name: string): void;
  /** Every master has answered a query sent at `atMs`, and none knows another master. */
  onAgreed(atMs: number): void;
}

/** The interval of CLUSTER NODES to each master: four replies a second, one line a node. */
const ASK_INTERVAL_MS = 250;

/**
 * The masters of a cluster and a connection to each, from periodic queries to the nodes themselves.
 *
 * All masters are queried, not one: the nodes concerned know of a failover or a moved slot before the others do, and local
 * memory may be used only while every node is known at which a key may change.
 *
 * A connection is used once its node has answered over it as a member, see {@link ClusterMembership}: another node may
 * listen at that address by now. It is closed when the node is no longer a member.
 */
export class RedisClusterNodes implements AsyncDisposable {
  readonly #options: RedisClusterNodesOptions;
  readonly #seeds: ReadonlyMap<string, Endpoint>;
  readonly #membership: ClusterMembership;
  /** To all masters, and to the seeds while membership is in doubt. */
  readonly #connections: RedisClusterConnections;
  readonly #watchers: ClusterWatcher[] = [];
  readonly #refreshing = new Map<string, Promise<void>>();
  #map = new SlotMap();
  /** The masters that have answered as members over their current connections. */
  readonly #usable = new Map<string, RedisClient>();
  /** Callers that wait for a master to be usable. */
  readonly #awaited = new Map<string, PromiseWithResolvers<void>>();
  /** Masters and seeds whose last answer was not that of a member. */
  readonly #left = new Set<string>();
  /** The masters announced to the watchers: all but those that have left. */
  readonly #watched = new Set<string>();
  #isAsking = false;
  #timer: Timer | undefined;
  #disposed = false;
  readonly #ready = Promise.withResolvers<void>();

  /** Starts the search for the nodes. */
  constructor(options: RedisClusterNodesOptions) {
    this.#options = options;
    this.#seeds = new Map(options.seeds.map((seed) => [nodeName(seed), seed]));
    this.#membership = new ClusterMembership([...this.#seeds.keys()], options.clock);
    this.#connections = new RedisClusterConnections(options, {
      onReady: (name) => this.#askSoon(name),
      onLost: (name) => {
        this.#usable.delete(name);
        this.#askSoon(name);
      },
    });
    this.#openSeeds();
    this.#askLater();
  }

  /** Resolves once the masters are known and all are usable. */
  ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** The names of all masters, including those without slots. */
  get masters(): readonly string[] {
    return [...this.#map.masters.keys()];
  }

  /** Whether each slot has a known owner. */
  get isComplete(): boolean {
    return this.#map.isComplete;
  }

  /** The connection to a master; undefined until it has answered over it as a member. */
  client(name: string): RedisClient | undefined {
    return this.#usable.get(name);
  }

  /** Resolves once there is a {@link client} of this name. */
  async usable(name: string): Promise<void> {
    if (this.#usable.has(name)) return;
    const awaited = this.#awaited.get(name) ?? Promise.withResolvers();
    this.#awaited.set(name, awaited);
    await awaited.promise;
  }

  /** The name of the slot's known owner, or undefined. */
  ownerOf(slot: number): string | undefined {
    return this.#map.ownerOf(slot);
  }

  /** The name of the master that imports the slot from this node, if known. */
  importerOf(slot: number, from: string): string | undefined {
    const id = this.#connections.answers.get(from)?.moving.get(slot);
    return id === undefined ? undefined : this.#map.nameOf(id);
  }

  /** Calls the watcher for each current master at once, and for each later change. */
  watch(watcher: ClusterWatcher): void {
    this.#watchers.push(watcher);
    for (const name of this.#watched) this.#introduce(name, watcher);
  }

  /** Asks this node for its view; resolves once it is used, or on time-out. */
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
    await this.#connections[Symbol.asyncDispose]();
  }

  #openSeeds(): void {
    for (const [name, seed] of this.#seeds) this.#connections.open(name, seed);
  }

  /** Queries again: a connection was made or lost, and the cluster may have changed. */
  #askSoon(name: string): void {
    if (this.#isAsking) this.refresh(name);
    else this.#askAll();
  }

  #askLater(): void {
    if (this.#disposed) return;
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimer(() => this.#askAll(), ASK_INTERVAL_MS, "background");
  }

  async #askAll(): Promise<void> {
    if (this.#disposed) return;
    this.#isAsking = true;
    const sentAtMs = this.#options.clock.now();
    const { names } = this.#connections;
    await Promise.all(names.map((name) => this.#connections.ask(name)));
    this.#isAsking = false;
    if (this.#disposed) return;
    this.#askLater();
    const members = this.#apply();
    // A master found just now was not queried yet.
    if (members !== undefined && this.masters.every((name) => names.includes(name) && members.has(name))) {
      for (const watcher of this.#watchers) watcher.onAgreed(sentAtMs);
    }
  }

  async #refresh(name: string): Promise<void> {
    await this.#connections.ask(name);
    if (!this.#disposed) this.#apply();
  }

  /** Applies the members' views; returns their answers. */
  #apply(): ReadonlyMap<string, ClusterView> | undefined {
    const { observer } = this.#options;
    const { answers } = this.#connections;
    const wasDecided = this.#membership.isDecided;
    const decision = this.#membership.decide(answers, {
      masters: this.#map.masters.keys(),
      left: this.#left,
    });
    const members = decision?.members;
    if (members === undefined && answers.size > 0 && this.#membership.isOverdue) {
      observer.clusterUndecided();
    }
    if (decision?.isNew) {
      observer.clusterReplaced();
      // Local memory holds keys of the former cluster.
      for (const name of this.#watched) this.#unwatch(name);
    }
    // At the start, a node that answers before the first decision may still be a member.
    if (members !== undefined || wasDecided) this.#dropStrangers(members);
    if (members !== undefined) {
      for (const name of members.keys()) this.#left.delete(name);
      const isAt = (id: string, name: string) =>
        !this.#left.has(name) && (members.get(name)?.id ?? id) === id;
      const before = this.#map.masters;
      this.#map = new SlotMap(members.values(), isAt);
      this.#dropFormer(before, members);
    }
    this.#keepConnections(members !== undefined);
    for (const name of members?.keys() ?? []) this.#admit(name);
    if (this.#isReady()) this.#ready.resolve();
    return members;
  }

  /** Stops using the nodes that answer but are not members. */
  #dropStrangers(members: ReadonlyMap<string, ClusterView> | undefined): void {
    for (const [name, { isJoining }] of [...this.#connections.answers]) {
      if (members?.has(name)) continue;
      this.#usable.delete(name);
      if (!isJoining && !this.#left.has(name)) this.#expel(name);
    }
  }

  /** Drops former masters: they are replicas now, or not members. */
  #dropFormer(before: SlotMap["masters"], members: ReadonlyMap<string, ClusterView>): void {
    for (const name of [...this.#watched]) {
      if (this.#map.masters.has(name)) continue;
      const id = before.get(name)!.id;
      if (members.values().some(({ known }) => known.has(id))) this.#unwatch(name);
      else this.#expel(name);
    }
  }

  #expel(name: string): void {
    this.#left.add(name);
    this.#options.observer.clusterNodeLeft(name);
    this.#unwatch(name);
    this.#retire(name);
  }

  /** Keeps one connection to each node that is used or votes. */
  #keepConnections(hasMembers: boolean): void {
    const { masters } = this.#map;
    const needsSeeds = !hasMembers || !this.#membership.isConfirmed || this.#left.size > 0 ||
      !this.#map.isComplete;
    for (const name of this.#connections.names) {
      if (!masters.has(name) && !(needsSeeds && this.#seeds.has(name))) this.#retire(name);
    }
    for (const name of this.#left) if (!masters.has(name) && !this.#seeds.has(name)) this.#left.delete(name);
    if (needsSeeds) this.#openSeeds();
    for (const [name, { address }] of masters) {
      this.#connections.open(name, address);
      if (this.#watched.has(name) || this.#left.has(name)) continue;
      this.#watched.add(name);
      for (const watcher of this.#watchers) this.#introduce(name, watcher);
    }
  }

  #introduce(name: string, watcher: ClusterWatcher): void {
    watcher.onMaster(name, this.#connections.get(name)!, this.#map.masters.get(name)!.address);
  }

  #unwatch(name: string): void {
    if (!this.#watched.delete(name)) return;
    for (const watcher of this.#watchers) watcher.onGone(name);
  }

  /** Marks a node usable that has answered as a member. */
  #admit(name: string): void {
    const client = this.#connections.get(name);
    if (client === undefined || !client.isReady || !this.#map.masters.has(name)) return;
    this.#usable.set(name, client);
    this.#awaited.get(name)?.resolve();
    this.#awaited.delete(name);
  }

  #isReady(): boolean {
    return this.masters.length > 0 && this.masters.every((name) => this.#usable.has(name));
  }

  #retire(name: string): void {
    this.#usable.delete(name);
    this.#connections.retire(name);
  }
}
