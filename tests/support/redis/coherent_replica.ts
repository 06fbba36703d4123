import { Chain } from "../../../src/cache/chain.ts";
import { LocalCoherence } from "../../../src/cache/local_coherence.ts";
import { ABSENT, LocalMemory, type LocalTier } from "../../../src/cache/local_memory.ts";
import { Tier } from "../../../src/cache/tier.ts";
import { systemClock } from "../../../src/core/clock.ts";
import type { Entry, EntryChange } from "../../../src/core/entry.ts";
import { type CacheKey, cacheKey } from "../../../src/core/key.ts";
import type { InvalidationState } from "../../../src/core/ports.ts";
import { LruMemory } from "../../../src/store/memory/lru.ts";
import { RedisChanges } from "../../../src/store/redis/changes.ts";
import { RedisClient } from "../../../src/store/redis/client.ts";
import type { RedisCommands } from "../../../src/store/redis/commands.ts";
import { RedisCluster } from "../../../src/store/redis/cluster/routing.ts";
import { RedisClusterInvalidations } from "../../../src/store/redis/cluster/invalidations.ts";
import { RedisClusterNodes } from "../../../src/store/redis/cluster/nodes.ts";
import { RedisEntries } from "../../../src/store/redis/entries.ts";
import {
  RedisInvalidations,
  type RedisInvalidationsOptions,
} from "../../../src/store/redis/invalidations.ts";
import type { RedisAccount, RedisClientOptions, RedisSentinels } from "../../../src/store/redis/options.ts";
import type { Endpoint } from "../../../src/core/endpoint.ts";
import { waitFor } from "../wait_for.ts";
import { PATIENT } from "../cache/caller.ts";
import { asFound } from "../cache/as_found.ts";
import { keptAs } from "../cache/kept_as.ts";

/** The options of a replica. */
export interface CoherentReplicaOptions {
  readonly keyPrefix: string;
  readonly maxStaleMs?: number;
  readonly username?: string;
  readonly password?: string;
}

/** Some nodes of a cluster. */
export interface ClusterSeeds {
  readonly seeds: readonly Endpoint[];
}

/** The parts of the service that depend on the kind of connection to Redis. */
interface OpenedRedis {
  readonly commands: RedisCommands;
  listen(
    options: Omit<RedisInvalidationsOptions, "data" | "listener" | "changes"> & {
      readonly changes: RedisChanges;
    },
  ): void;
}

const KEY = cacheKey("n", "k");

const TIMEOUT_MS = 500;

/** A chain from local memory to a real Redis, as in the service; methods without a key use the same one. */
export class CoherentReplica implements AsyncDisposable {
  readonly states: InvalidationState[] = [];
  readonly changes: RedisChanges;
  readonly #resources = new AsyncDisposableStack();
  readonly #local: LocalTier<Uint8Array>;
  readonly #chain: Chain<Uint8Array, EntryChange>;
  /** Called after each invalidation of a key. */
  onInvalidated: (key: CacheKey) => void = () => {};

  constructor(server: Endpoint | RedisSentinels | ClusterSeeds, options: CoherentReplicaOptions) {
    const { keyPrefix, maxStaleMs = 0, username = "", password = "" } = options;
    const account = { username, password, db: 0, connectTimeoutMs: 1000 };
    const redis = "seeds" in server
      ? this.#openCluster(server, account)
      : this.#openServer({ ...server, ...account });
    const observer = {
      tierFailed() {},
      breakerChanged() {},
      outboxWaiting() {},
      fillDropped() {},
      changesUnsettled() {},
      outOfForce() {},
    };
    const tier = { name: "redis", readTimeoutMs: TIMEOUT_MS, writeTimeoutMs: TIMEOUT_MS };
    const coherence = new LocalCoherence(systemClock, maxStaleMs);
    const newName = () => crypto.randomUUID();
    this.changes = new RedisChanges(redis.commands, keyPrefix, {
      clock: systemClock,
      timeoutMs: TIMEOUT_MS,
      newSender: newName,
    });
    const memory = new LruMemory({ maxBytes: 1e6, maxEntryBytes: 1e5 }, systemClock);
    const stores = { entries: memory.byteStore(), copies: memory.store(keptAs<never>(8)) };
    this.#local = coherence.wrap(new LocalMemory({ ...stores, clock: systemClock, random: () => 0 }));
    this.#chain = new Chain({
      local: this.#local,
      shared: undefined,
      authority: {
        store: new RedisEntries(this.changes, keyPrefix, { clock: systemClock, newName }),
        tier: new Tier(tier, systemClock, observer),
      },
      keepsWrites: false,
      clock: systemClock,
      observer,
      newIntent: () => crypto.randomUUID(),
      backfillQueueSize: 10,
    });
    coherence.subscribe(this.#chain);
    coherence.subscribe({ invalidate: (key) => this.onInvalidated(key), invalidateAll() {} });
    redis.listen({
      changes: this.changes,
      keyPrefix,
      target: coherence,
      clock: systemClock,
      onState: (state) => this.states.push(state),
    });
  }

  #openServer(options: RedisClientOptions): OpenedRedis {
    const connect = () => this.#resources.use(new RedisClient(options, systemClock, () => {}));
    const data = connect();
    return {
      commands: data,
      listen: (listening) =>
        this.#resources.use(new RedisInvalidations({ ...listening, data, listener: connect() })),
    };
  }

  #openCluster({ seeds }: ClusterSeeds, account: RedisAccount): OpenedRedis {
    const connect = (address: Endpoint) => new RedisClient({ ...account, ...address }, systemClock, () => {});
    const observer = { clusterNodeLeft() {}, clusterReplaced() {}, clusterUndecided() {} };
    const nodes = this.#resources.use(
      new RedisClusterNodes({ seeds, clock: systemClock, connect, onError() {}, observer }),
    );
    const breaker = () => ({
      run: <T>(work: () => Promise<T>) => work(),
      probe: <T>(work: () => Promise<T>) => work(),
    });
    return {
      commands: new RedisCluster({ nodes, clock: systemClock, patienceMs: TIMEOUT_MS, breaker }),
      listen: (listening) =>
        this.#resources.use(new RedisClusterInvalidations({ ...listening, nodes, connect })),
    };
  }

  get state(): InvalidationState | undefined {
    return this.states.at(-1);
  }

  /** Resolves once this is the last state. */
  async becomes(state: InvalidationState): Promise<void> {
    await waitFor(() => this.state === state, { what: `the state ${state}`, timeoutMs: 10_000 });
  }

  /** The value in local memory. */
  get held(): string | undefined {
    return this.heldOf(KEY);
  }

  heldOf(key: CacheKey): string | undefined {
    const found = this.#local.get(key, undefined, () => {});
    return text(found === ABSENT ? undefined : found);
  }

  async read(key = KEY): Promise<string | undefined> {
    return text(await this.#chain.get(key, PATIENT, asFound));
  }

  async write(value: string, key = KEY): Promise<void> {
    const encoded = new TextEncoder().encode(value);
    await this.#chain.set(key, PATIENT, { value: encoded, expiresAtMs: Infinity });
  }

  async delete(key = KEY): Promise<void> {
    await this.#chain.delete(key, PATIENT);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

function text(entry: Entry<Uint8Array> | undefined): string | undefined {
  return entry && new TextDecoder().decode(entry.value);
}
