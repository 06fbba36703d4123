/** Redis: the authority for entries and the shared tier of secrets, as one server, behind sentinels or as a cluster. */
import type { CircuitBreakerOptions } from "../cache/circuit_breaker.ts";
import { serverBreaker } from "../cache/server_breaker.ts";
import { Tier } from "../cache/tier.ts";
import type { RedisConfig } from "../config/data/redis.ts";
import { systemClock, systemRandom, within } from "../core/clock.ts";
import type { Endpoint } from "../core/endpoint.ts";
import type { EntryChange } from "../core/entry.ts";
import type { Invalidations, InvalidationState, SharedCache } from "../core/ports.ts";
import type { Secret } from "../core/secret.ts";
import type { LogObserver } from "../observe/log_observer.ts";
import { RedisChanges } from "../store/redis/changes.ts";
import { RedisClient } from "../store/redis/client.ts";
import { isForbidden, isRefusalOfOne, SentinelError } from "../store/redis/errors.ts";
import type { RedisCommands } from "../store/redis/commands.ts";
import { RedisClusterInvalidations } from "../store/redis/cluster/invalidations.ts";
import { RedisClusterNodes } from "../store/redis/cluster/nodes.ts";
import { RedisCluster } from "../store/redis/cluster/routing.ts";
import { nodeName } from "../store/redis/cluster/view.ts";
import { RedisEntries } from "../store/redis/entries.ts";
import { RedisInvalidations, type RedisInvalidationsOptions } from "../store/redis/invalidations.ts";
import type { RedisClientOptions } from "../store/redis/options.ts";
import { RedisSecrets } from "../store/redis/secrets.ts";
import type { AuthorityBackend, HealthTarget } from "./backend.ts";

/** What Redis gives to the service. */
export interface RedisBackend {
  readonly entries: AuthorityBackend<Uint8Array, EntryChange>;
  readonly secrets: { readonly store: SharedCache<Secret>; readonly tier: Tier };
  readonly healthTarget: HealthTarget;
  /** Subscribes `target` to the changes of other replicas. */
  subscribe(target: Invalidations): Promise<void>;
}

/** What the topologies differ in. */
interface RedisConnection {
  readonly commands: RedisCommands;
  /** Resolves when commands can be sent. */
  ready(): Promise<void>;
  readonly tier: Tier;
  /** Subscribes to changes by others; `settled` resolves once Redis has allowed or refused it. */
  subscribe(options: SubscribeOptions): AsyncDisposable & { readonly settled: Promise<void> };
}

type SubscribeOptions = Omit<RedisInvalidationsOptions, "data" | "listener" | "changes"> & {
  readonly changes: RedisChanges;
};

/** Opens the Redis of the configuration. Waits for it only for the connect time-out: the service starts without it. */
export async function openRedis(
  config: RedisConfig,
  resources: AsyncDisposableStack,
  observer: LogObserver,
): Promise<RedisBackend> {
  const { keyPrefix, topology, connectTimeoutMs, writeTimeoutMs } = config;
  const connection = topology.kind === "cluster"
    ? openCluster(config, topology.seeds, resources, observer)
    : openServer(
      { ...config, ...(topology.kind === "sentinel" ? topology : topology.address) },
      resources,
      observer,
    );
  const { commands, tier } = connection;
  const newName = () => crypto.randomUUID();
  const changes = new RedisChanges(commands, keyPrefix, {
    clock: systemClock,
    timeoutMs: writeTimeoutMs,
    newSender: newName,
  });
  // The first calls then find a connection.
  await within(connectTimeoutMs, connection.ready(), systemClock);
  return {
    entries: { store: new RedisEntries(changes, keyPrefix, { clock: systemClock, newName }), tier },
    secrets: {
      store: new RedisSecrets(changes, keyPrefix, { clock: systemClock, newName }),
      tier,
    },
    healthTarget: { tier, ping: () => commands.ping() },
    async subscribe(target: Invalidations): Promise<void> {
      const onState = (state: InvalidationState) => observer.invalidationsChanged(state);
      const invalidations = resources.use(
        connection.subscribe({ changes, keyPrefix, target, clock: systemClock, onState }),
      );
      await within(connectTimeoutMs, invalidations.settled, systemClock);
    },
  };
}

/** One server, or the current master of sentinels. */
function openServer(
  config: RedisConfig & RedisClientOptions,
  resources: AsyncDisposableStack,
  observer: LogObserver,
): RedisConnection {
  const tier = redisTier(config, observer, { ...config.breaker, random: systemRandom });
  const onError = connectionFailed(observer);
  const connect = () => new RedisClient(config, systemClock, onError);
  const client = resources.use(connect());
  client.watch({ onReady: () => tier.interrupted(), onLost: () => tier.interrupted() });
  return {
    commands: client,
    ready: () => client.ready(),
    tier,
    subscribe(options) {
      const listener = connect();
      const invalidations = new RedisInvalidations({ ...options, data: client, listener });
      return {
        settled: invalidations.settled,
        async [Symbol.asyncDispose]() {
          invalidations[Symbol.dispose]();
          await listener[Symbol.asyncDispose]();
        },
      };
    },
  };
}

function openCluster(
  config: RedisConfig,
  seeds: readonly Endpoint[],
  resources: AsyncDisposableStack,
  observer: LogObserver,
): RedisConnection {
  const { readTimeoutMs, writeTimeoutMs } = config;
  // Without a breaker: each server has its own.
  const tier = redisTier(config, observer);
  const onError = connectionFailed(observer);
  const connect = (address: Endpoint) =>
    new RedisClient({ ...config, ...address }, systemClock, connectionFailed(observer, nodeName(address)));
  const nodes = resources.use(
    new RedisClusterNodes({
      seeds,
      clock: systemClock,
      connect,
      onError,
      observer: {
        clusterNodeLeft: (name) => observer.clusterNodeLeft(`redis ${name}`),
        clusterReplaced: () => observer.clusterReplaced("redis"),
        clusterUndecided: () => observer.clusterUndecided("redis"),
      },
    }),
  );
  nodes.watch({
    onMaster(_name, client) {
      tier.interrupted();
      client.watch({ onReady: () => tier.interrupted(), onLost: () => tier.interrupted() });
    },
    onGone: () => tier.interrupted(),
    onAgreed() {},
  });
  const breaker = (name: string) =>
    serverBreaker({
      tier: "redis",
      breaker: { ...config.breaker, random: systemRandom },
      timeoutMs: Math.max(readTimeoutMs, writeTimeoutMs),
      isRefusal: isRefusalOfOne,
      onChange(state) {
        tier.interrupted();
        observer.breakerChanged(`redis ${name}`, state);
      },
    }, systemClock);
  const patienceMs = Math.min(readTimeoutMs, writeTimeoutMs);
  return {
    commands: new RedisCluster({ nodes, clock: systemClock, patienceMs, breaker }),
    ready: () => nodes.ready(),
    tier,
    subscribe: (options) => new RedisClusterInvalidations({ ...options, nodes, connect }),
  };
}

function redisTier(
  { readTimeoutMs, writeTimeoutMs }: RedisConfig,
  observer: LogObserver,
  breaker?: CircuitBreakerOptions,
): Tier {
  const options = { name: "redis", readTimeoutMs, writeTimeoutMs, isRefusal: isRefusalOfOne };
  return new Tier(breaker === undefined ? options : { ...options, breaker }, systemClock, observer);
}

/** `address` is the server's, for a tier with several. */
function connectionFailed(observer: LogObserver, address?: string): (error: Error) => void {
  return (error) => {
    if (error instanceof SentinelError) {
      // A subject of its own: a dead sentinel must not suppress the failures of Redis.
      observer.tierFailed(`redis sentinel ${error.address}`, "connect", error.cause);
    } else if (isForbidden(error)) observer.commandForbidden("redis", error);
    else observer.connectionFailed("redis", address, error);
  };
}
