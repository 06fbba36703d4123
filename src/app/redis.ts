/** Joins what the service does with Redis, however it is reached: one server, sentinels or a cluster. */
import type { AuthorityBackend, HealthTarget } from "./backend.ts";
import type { CircuitBreakerOptions } from "../cache/circuit_breaker.ts";
import { ServerBreaker } from "../cache/server_breaker.ts";
import { Tier } from "../cache/tier.ts";
import type { RedisConfig } from "../config/config.ts";
import { systemClock, systemRandom } from "../core/clock.ts";
import type { EntryChange } from "../core/entry_change.ts";
import type { Invalidations, InvalidationState, SharedCache } from "../core/ports.ts";
import type { Secret } from "../core/secret.ts";
import type { LogObserver } from "../observe/log_observer.ts";
import { RedisChanges } from "../store/redis/changes.ts";
import { isForbidden, isRefusalOfOne, RedisClient, SentinelError } from "../store/redis/client.ts";
import type { RedisCommands } from "../store/redis/commands.ts";
import { RedisCluster } from "../store/redis/cluster/routing.ts";
import { RedisClusterInvalidations } from "../store/redis/cluster/invalidations.ts";
import { RedisClusterNodes } from "../store/redis/cluster/nodes.ts";
import { RedisEntries } from "../store/redis/entries.ts";
import { RedisInvalidations, type RedisInvalidationsOptions } from "../store/redis/invalidations.ts";
import { nodeName } from "../store/redis/cluster/view.ts";
import type { RedisClientOptions } from "../store/redis/options.ts";
import type { Endpoint } from "../core/endpoint.ts";
import { RedisSecrets } from "../store/redis/secrets.ts";

/** What Redis is to the service. */
export interface RedisBackend {
  readonly entries: AuthorityBackend<Uint8Array, EntryChange>;
  readonly secrets: { readonly store: SharedCache<Secret>; readonly tier: Tier };
  readonly healthTarget: HealthTarget;
  /** Subscribes `target` to the changes of other replicas. */
  subscribe(target: Invalidations): Promise<void>;
}

/** A Redis that is reached in one way or another. */
interface RedisAccess {
  readonly commands: RedisCommands;
  /** Resolves when commands can be sent. */
  ready(): Promise<void>;
  readonly tier: Tier;
  /** Lets the target be told of what others change; `settled` once it is known whether that is allowed. */
  listen(options: ListenOptions): AsyncDisposable & { readonly settled: Promise<void> };
}

type ListenOptions = Omit<RedisInvalidationsOptions, "data" | "listener" | "changes"> & {
  readonly changes: RedisChanges;
};

/** Opens what the configuration names; without an answer the service starts all the same. */
export async function openRedis(
  config: RedisConfig,
  resources: AsyncDisposableStack,
  observer: LogObserver,
): Promise<RedisBackend> {
  const { keyPrefix, topology, connectTimeoutMs, writeTimeoutMs } = config;
  const access = topology.kind === "cluster"
    ? openCluster(config, topology.seeds, resources, observer)
    : openServer(
      { ...config, ...(topology.kind === "sentinel" ? topology : topology.address) },
      resources,
      observer,
    );
  const { commands, tier } = access;
  const newName = () => crypto.randomUUID();
  const changes = new RedisChanges(commands, keyPrefix, {
    clock: systemClock,
    timeoutMs: writeTimeoutMs,
    newSender: newName,
  });
  // So that the first calls find a connection.
  await atMost(connectTimeoutMs, access.ready());
  return {
    entries: { store: new RedisEntries(changes, keyPrefix, { clock: systemClock, newName }), tier },
    secrets: {
      store: new RedisSecrets(changes, keyPrefix, { clock: systemClock, newName }),
      tier,
    },
    healthTarget: { tier, ping: () => commands.ping() },
    async subscribe(target: Invalidations): Promise<void> {
      const onState = (state: InvalidationState) => observer.invalidationsAre(state);
      const invalidations = resources.use(
        access.listen({ changes, keyPrefix, target, clock: systemClock, onState }),
      );
      await atMost(connectTimeoutMs, invalidations.settled);
    },
  };
}

/** One server, or the one that sentinels name at the time. */
function openServer(
  config: RedisConfig & RedisClientOptions,
  resources: AsyncDisposableStack,
  observer: LogObserver,
): RedisAccess {
  const tier = redisTier(config, observer, { ...config.breaker, random: systemRandom });
  const onError = connectionFailed(observer);
  const connect = () => new RedisClient(config, systemClock, onError);
  const client = resources.use(connect());
  client.watch({ onReady: () => tier.interrupted(), onLost: () => tier.interrupted() });
  return {
    commands: client,
    ready: () => client.ready(),
    tier,
    listen(options) {
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
): RedisAccess {
  const { readTimeoutMs, writeTimeoutMs } = config;
  // Each server has a breaker of its own instead.
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
  const guard = (name: string) =>
    new ServerBreaker({
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
    commands: new RedisCluster({ nodes, clock: systemClock, patienceMs, guard }),
    ready: () => nodes.ready(),
    tier,
    listen: (options) => new RedisClusterInvalidations({ ...options, nodes, connect }),
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

/** `address` is that of the one server where the tier has several. */
function connectionFailed(observer: LogObserver, address?: string): (error: Error) => void {
  return (error) => {
    if (error instanceof SentinelError) {
      // A subject of its own: a sentinel that stays dead must not silence what is said of Redis.
      observer.tierFailed(`redis sentinel ${error.address}`, "connect", error.cause);
    } else if (isForbidden(error)) observer.commandForbidden("redis", error);
    else observer.connectionFailed("redis", address, error);
  };
}

async function atMost(ms: number, work: Promise<void>): Promise<void> {
  const { promise: tooLate, resolve } = Promise.withResolvers<void>();
  const timer = systemClock.setTimer(resolve, ms);
  await Promise.race([work, tooLate]);
  timer.cancel();
}
