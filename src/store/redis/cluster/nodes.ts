import type { Timer } from "../../../core/clock.ts";
import type { RedisClient } from "../client.ts";
import { RedisClusterConnections, type RedisClusterConnectionsOptions } from "./connections.ts";
import { ClusterMembership } from "./membership.ts";
import { type ClusterView, nodeName } from "./view.ts";
import type { Endpoint } from "../../../core/endpoint.ts";
import { SlotMap } from "./slot_map.ts";

/** What the nodes of a cluster are found with. */
export interface RedisClusterNodesOptions extends RedisClusterConnectionsOptions {
  /** Nodes that are asked for the others, at first and whenever it is in doubt which nodes are members. */
  readonly seeds: readonly Endpoint[];
  readonly observer: ClusterObserver;
}

/** Told of what an operator should know about the members of a cluster. */
export interface ClusterObserver {
  /** The node of this name is not a member of the cluster in force, and is not used from now on. */
  clusterNodeLeft(name: string): void;
  /** Another cluster is in force from now on. */
  clusterReplaced(): void;
  /** Nodes answer, and no cluster can be told by what they say. */
  clusterUndecided(): void;
}

/** Called as the masters of a cluster change. */
export interface ClusterWatcher {
  /** A master was found; `client` may not be connected yet. */
  onMaster(name: string, client: RedisClient, address: Endpoint): void;
  /** A master is none any more; its connection is about to be closed. */
  onGone(name: string): void;
  /** Every master has answered a question sent at `atMs`, and none of them knows another one. */
  onAgreed(atMs: number): void;
}

/** How often each master is asked which nodes there are: a line of text a node, four times a second. */
const ASK_INTERVAL_MS = 250;

/**
 * The masters of a cluster, each with a connection, as the nodes themselves name them again and again.
 *
 * All masters are asked, not one: a failover or a slot that moves is known to the nodes it concerns before the others
 * hear of it, and local memory may be used only while every node is known at which a key may change.
 *
 * A connection is used once its node has said over it that it is a member, see {@link ClusterMembership}: another one
 * may listen at the address by now. It is given up when the node says that it is none any more.
 */
export class RedisClusterNodes implements AsyncDisposable {
  readonly #options: RedisClusterNodesOptions;
  readonly #seeds: ReadonlyMap<string, Endpoint>;
  readonly #membership: ClusterMembership;
  /** To masters, and to seeds while it is in doubt which nodes are members. */
  readonly #connections: RedisClusterConnections;
  readonly #watchers: ClusterWatcher[] = [];
  readonly #refreshing = new Map<string, Promise<void>>();
  #map = new SlotMap();
  /** The masters that have answered as members over their present connections. */
  readonly #usable = new Map<string, RedisClient>();
  /** What waits for a master to be usable. */
  readonly #awaited = new Map<string, PromiseWithResolvers<void>>();
  /** Masters and seeds that have said last that they are no members. */
  readonly #left = new Set<string>();
  /** The masters that the watchers know of: all but those that have left. */
  readonly #watched = new Set<string>();
  #isAsking = false;
  #timer: Timer | undefined;
  #disposed = false;
  readonly #ready = Promise.withResolvers<void>();

  /** Starts to look for the nodes. */
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

  /** Resolves when the masters are known and each could be sent to. */
  ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** The names of all masters, those without slots too. */
  get masters(): readonly string[] {
    return [...this.#map.masters.keys()];
  }

  /** Whether each slot has an owner, as far as is known. */
  get isComplete(): boolean {
    return this.#map.isComplete;
  }

  /** The connection to a master; undefined where it has not said yet over it that it is one. */
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

  /** The name of the master that has the slot, as far as is known; undefined where none can be trusted to. */
  ownerOf(slot: number): string | undefined {
    return this.#map.ownerOf(slot);
  }

  /** The name of the master to which this node is moving the slot, as far as is known. */
  importerOf(slot: number, from: string): string | undefined {
    const id = this.#connections.answers.get(from)?.moving.get(slot);
    return id === undefined ? undefined : this.#map.nameOf(id);
  }

  /** Tells of the masters that there are, at once, and of all changes. */
  watch(watcher: ClusterWatcher): void {
    this.#watchers.push(watcher);
    for (const name of this.#watched) this.#introduce(name, watcher);
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
    await this.#connections[Symbol.asyncDispose]();
  }

  #openSeeds(): void {
    for (const [name, seed] of this.#seeds) this.#connections.open(name, seed);
  }

  /** Something has happened to the connection to this node, and perhaps to the cluster. */
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
    const members = this.#use();
    // A master that has just been found has not been asked yet.
    if (members !== undefined && this.masters.every((name) => names.includes(name) && members.has(name))) {
      for (const watcher of this.#watchers) watcher.onAgreed(sentAtMs);
    }
  }

  async #refresh(name: string): Promise<void> {
    await this.#connections.ask(name);
    if (!this.#disposed) this.#use();
  }

  /** Takes over what the members say; resolves to their answers. */
  #use(): ReadonlyMap<string, ClusterView> | undefined {
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
      // What is in local memory is of the former one.
      for (const name of this.#watched) this.#forget(name);
    }
    // At the start, nodes that answer before it is known who is a member may turn out to be one.
    if (members !== undefined || wasDecided) this.#leave(members);
    if (members !== undefined) {
      for (const name of members.keys()) this.#left.delete(name);
      const isAt = (id: string, name: string) =>
        !this.#left.has(name) && (members.get(name)?.id ?? id) === id;
      const before = this.#map.masters;
      this.#map = new SlotMap(members.values(), isAt);
      this.#compare(before, members);
    }
    this.#keepConnections(members !== undefined);
    for (const name of members?.keys() ?? []) this.#admit(name);
    if (this.#isReady()) this.#ready.resolve();
    return members;
  }

  /** Stops using the nodes that answer and are no members. */
  #leave(members: ReadonlyMap<string, ClusterView> | undefined): void {
    for (const [name, { isJoining }] of [...this.#connections.answers]) {
      if (members?.has(name)) continue;
      this.#usable.delete(name);
      if (!isJoining && !this.#left.has(name)) this.#dismiss(name);
    }
  }

  /** Parts with the masters that are none any more: replicas now, or no members. */
  #compare(before: SlotMap["masters"], members: ReadonlyMap<string, ClusterView>): void {
    for (const name of [...this.#watched]) {
      if (this.#map.masters.has(name)) continue;
      const id = before.get(name)!.id;
      if (members.values().some(({ known }) => known.has(id))) this.#forget(name);
      else this.#dismiss(name);
    }
  }

  #dismiss(name: string): void {
    this.#left.add(name);
    this.#options.observer.clusterNodeLeft(name);
    this.#forget(name);
    this.#retire(name);
  }

  /** Opens and closes connections, so that there is one to each node that is used or has a say. */
  #keepConnections(isHeard: boolean): void {
    const { masters } = this.#map;
    const needsSeeds = !isHeard || !this.#membership.isConfirmed || this.#left.size > 0 ||
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

  #forget(name: string): void {
    if (!this.#watched.delete(name)) return;
    for (const watcher of this.#watchers) watcher.onGone(name);
  }

  /** The node has said that it is a member. */
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
