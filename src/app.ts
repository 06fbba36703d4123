/** The composition root: makes the parts that a configuration asks for, joins them, and ends them in order. */
import { addCacheServer } from "./api/cache_server.ts";
import { loadContract } from "./api/contract.ts";
import { Health } from "./api/health.ts";
import { addReflection } from "./api/reflection.ts";
import { Namespaces } from "./business/namespaces.ts";
import { Secrets } from "./business/secrets.ts";
import { Chain, type ChainOptions } from "./cache/chain.ts";
import { LocalGate } from "./cache/local_gate.ts";
import { Tier } from "./cache/tier.ts";
import { TierProbe, type TierState } from "./cache/tier_probe.ts";
import type { Config, MysqlConfig, SqliteConfig } from "./config/config.ts";
import { systemClock, systemRandom } from "./core/clock.ts";
import type { EntryChange } from "./core/entry_change.ts";
import { ServiceError } from "./core/errors.ts";
import type { Authority, Invalidations, LocalStore, Outbox, SharedCache } from "./core/ports.ts";
import type { Secret, SecretChange } from "./core/secret.ts";
import { copyPolicy, localCopies, namespacePolicies } from "./cache_policies.ts";
import { grpcServer } from "./grpc_server.ts";
import { serveHttp } from "./http_server.ts";
import { Logger } from "./observe/logger.ts";
import { LogObserver } from "./observe/log_observer.ts";
import { answerProbe } from "./probes.ts";
import { Readiness } from "./readiness.ts";
import { KEPT_BYTES, KEPT_SECRETS } from "./store/kept_values.ts";
import { LruMemory } from "./store/lru.ts";
import { MysqlOutbox } from "./store/mysql_outbox.ts";
import { MysqlSecrets } from "./store/mysql_secrets.ts";
import { TooManyUnsettled } from "./store/mysql_unsettled.ts";
import { SqliteDatabase } from "./store/sqlite_database.ts";
import { SqliteEntries } from "./store/sqlite_entries.ts";
import { SqliteSecrets } from "./store/sqlite_secrets.ts";
import { isKnownGoodDeno, KNOWN_GOOD_DENO } from "./transport/grpc_js/deno_versions.ts";
import type { ServerAddress } from "./transport/service.ts";

/** The time that an operation on the embedded database may take; it answers at once or waits for the file's lock. */
const SQLITE_TIMEOUT_MS = 1000;

/** One of the places where the truth or a copy of it is kept, as health and logs see it. */
interface Probed {
  readonly tier: Tier;
  ping(signal: AbortSignal): Promise<void>;
}

/** Where the truth is kept. */
interface Held<V, C> {
  readonly store: Authority<V, C>;
  readonly tier: Tier;
  /** Throws when an embedded store cannot be written. */
  readonly checkWritable?: () => void;
}

/** The stores that a configuration asks for. */
interface Stores {
  readonly entries: Held<Uint8Array, EntryChange>;
  readonly sharedSecrets:
    | {
      readonly store: SharedCache<Secret>;
      readonly tier: Tier;
      readonly outbox: Outbox;
    }
    | undefined;
  readonly secrets: Held<Secret, SecretChange>;
  readonly probed: readonly Probed[];
  /** Lets local memory be told of what others change; undefined where there are no others. */
  readonly listen: ((target: Invalidations) => Promise<void>) | undefined;
}

/** A running service. */
export interface App {
  /** Where it really listens. */
  readonly address: ServerAddress;
  /** Takes no more calls, lets those in flight end, flushes what is on its way and closes everything. */
  stop(): Promise<void>;
}

/**
 * Starts the service; it takes calls once this resolves. A Redis or MySQL that is down does not keep it from
 * starting. `writeLog` is handed one line of JSON an event. Rejects with a one-line reason, with nothing left open.
 */
export async function startApp(config: Config, writeLog: (line: string) => void): Promise<App> {
  const logger = new Logger(systemClock, config.log.level, writeLog);
  const observer = new LogObserver(logger, systemClock);
  await using resources = new AsyncDisposableStack();
  surviveRejections(resources, observer);

  const stores = await openStores(config, resources, observer);
  const memory = config.cache.local.disabled ? undefined : new LruMemory(config.cache.local, systemClock);
  const gate = memory === undefined || stores.listen === undefined
    ? undefined
    : new LocalGate(systemClock, config.cache.local.maxStaleMs);
  const guarded = <V>(store: LocalStore<V> | undefined) => store && (gate?.guard(store) ?? store);
  const policies = namespacePolicies(config.cache);
  const secretCopies = copyPolicy(config.cache.secrets);
  const common = {
    clock: systemClock,
    observer,
    newIntent: () => crypto.randomUUID(),
    backfillQueueSize: config.cache.backfillQueueSize,
  };
  const entries = resources.use(chain({
    ...common,
    local: guarded(memory?.byteStore()),
    copies: policies.useCopies ? localCopies(memory, gate, KEPT_BYTES) : undefined,
    shared: undefined,
    authority: stores.entries,
  }));
  const secrets = resources.use(chain({
    ...common,
    local: guarded(memory?.store(KEPT_SECRETS)),
    copies: secretCopies && localCopies(memory, gate, KEPT_SECRETS),
    shared: stores.sharedSecrets,
    authority: stores.secrets,
  }));

  if (gate !== undefined) {
    gate.tell(entries);
    gate.tell(secrets);
    await stores.listen?.(gate);
  }

  const server = await grpcServer(config, observer);
  addCacheServer(server, {
    namespaces: new Namespaces(entries, {
      clock: systemClock,
      random: systemRandom,
      maxValueBytes: config.cache.maxValueBytes,
      policies,
    }),
    secrets: new Secrets(secrets, {
      clock: systemClock,
      newSecretKey: () => crypto.randomUUID(),
      copies: secretCopies,
    }),
    clock: systemClock,
    observer,
  });
  addReflection(server, loadContract());
  const health = new Health(server);
  const holders = [stores.entries, stores.secrets].map(({ tier, checkWritable }) => {
    return { name: tier.name, checkWritable };
  });
  const readiness = new Readiness(holders, systemClock);
  const onTier = (name: string, state: TierState) => {
    health.setTier(name, state === "up" ? "SERVING" : "NOT_SERVING");
    readiness.setTier(name, state);
  };
  if (memory !== undefined) onTier("local", "up");
  const probes = stores.probed.map((probed) => resources.use(probe(probed, onTier, logger)));
  await Promise.all(probes.map((each) => each.asked));

  warnOfUnsafeTransport(config, logger);
  const http = resources.use(serveHttp(config.server.http, {
    handle: (request) => answerProbe(request, () => readiness.report()),
    onError: (error) => observer.transportFailed("http", error),
  }));
  const address = await server.listen(config.server.grpc);
  readiness.serve();
  logger.info("serving", {
    address: addressText(address),
    http: addressText(http.address),
    transport: config.server.grpc.transport,
    tiers: [memory && "local", ...stores.probed.map(({ tier }) => tier.name)].filter(Boolean).join(" "),
  });

  const owned = resources.move();
  return {
    address,
    async stop() {
      logger.info("draining", { timeout_ms: config.server.grpc.drainTimeoutMs });
      health.drain();
      readiness.drain();
      await server.drain(config.server.grpc.drainTimeoutMs);
      await owned.disposeAsync();
      logger.info("stopped");
    },
  };
}

/** A promise that nobody waits for is one lost piece of work: it must not cost everybody else the process. */
function surviveRejections(resources: AsyncDisposableStack, observer: LogObserver): void {
  const onRejection = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    observer.rejectionUnhandled(event.reason);
  };
  addEventListener("unhandledrejection", onRejection);
  resources.defer(() => removeEventListener("unhandledrejection", onRejection));
}

function warnOfUnsafeTransport(config: Config, logger: Logger): void {
  if (config.server.grpc.transport !== "grpc_js" || isKnownGoodDeno(Deno.version.deno)) return;
  logger.warn("transport_unsafe", {
    transport: "grpc_js",
    deno: Deno.version.deno,
    known_good: KNOWN_GOOD_DENO.join(" to "),
  });
}

/** Creates or upgrades the database's schema; resolves to what was done, a sentence each. */
export async function migrateDatabase(config: Config): Promise<string[]> {
  const { database } = config.data;
  const done: string[] = [];
  if (database.driver === "mysql") {
    const { migrateMysql } = await import("./store/mysql_migrate.ts");
    done.push(...await migrateMysql(database, systemClock, new AbortController().signal));
  } else {
    // Opening the file brings it to the present schema.
    new SqliteDatabase(database.path)[Symbol.dispose]();
  }
  return done.length > 0 ? done : ["Nothing was missing."];
}

function chain<V, C>(options: ChainOptions<V, C>): Chain<V, C> {
  return new Chain(options);
}

async function openStores(
  config: Config,
  resources: AsyncDisposableStack,
  observer: LogObserver,
): Promise<Stores> {
  const { database, redis } = config.data;
  if (database.driver === "sqlite" && redis === undefined) return openSqlite(database, resources, observer);
  if (redis === undefined) {
    throw new TypeError("Cannot serve namespaced entries: the configuration has no redis");
  }
  // Drivers are loaded where they are used, so that no start waits for one that it does not need.
  const { openRedis } = await import("./redis_tier.ts");
  if (database.driver === "sqlite") {
    // Nobody else reads this file, so a copy of its secrets in Redis would only be one more thing to keep right.
    const { secrets, probed } = openSqlite(database, resources, observer);
    const shared = await openRedis(redis, resources, observer);
    return {
      entries: shared.entries,
      sharedSecrets: undefined,
      secrets,
      probed: [shared.probed, ...probed],
      listen: shared.listen,
    };
  }
  const { secrets, outbox, probed } = await openMysql(database, resources, observer);
  const shared = await openRedis(redis, resources, observer);
  return {
    entries: shared.entries,
    sharedSecrets: { ...shared.secrets, outbox },
    secrets,
    probed: [shared.probed, ...probed],
    listen: shared.listen,
  };
}

/** The embedded profile: one file is the authority for everything. */
function openSqlite(config: SqliteConfig, resources: AsyncDisposableStack, observer: LogObserver): Stores {
  const tier = new Tier(
    { name: "database", readTimeoutMs: SQLITE_TIMEOUT_MS, writeTimeoutMs: SQLITE_TIMEOUT_MS },
    systemClock,
    observer,
  );
  const file = resources.use(new SqliteDatabase(config.path));
  const entries = resources.use(new SqliteEntries(file, systemClock));
  const secrets = new SqliteSecrets(file);
  const checkWritable = () => file.checkWritable();
  return {
    entries: { store: entries, tier, checkWritable },
    sharedSecrets: undefined,
    secrets: { store: secrets, tier, checkWritable },
    probed: [{ tier, ping: (signal) => secrets.ping(signal) }],
    listen: undefined,
  };
}

async function openMysql(
  config: MysqlConfig,
  resources: AsyncDisposableStack,
  observer: LogObserver,
): Promise<Pick<Stores, "secrets" | "probed"> & { readonly outbox: Outbox }> {
  const { MysqlPool } = await import("./store/mysql_pool.ts");
  const { checkMysqlSchema } = await import("./store/mysql_migrate.ts");
  const { queryTimeoutMs } = config;
  const breaker = { ...config.breaker, random: systemRandom };
  const tier = new Tier(
    {
      name: "database",
      readTimeoutMs: queryTimeoutMs,
      writeTimeoutMs: queryTimeoutMs,
      breaker,
      isRefusal: (error) => error instanceof TooManyUnsettled,
    },
    systemClock,
    observer,
  );
  const pool = resources.use(new MysqlPool(config, systemClock, () => tier.interrupted()));
  const secrets = new MysqlSecrets(pool, config);
  let schemaIsRight = false;
  const ping = async (signal: AbortSignal) => {
    if (schemaIsRight) return await secrets.ping(signal);
    const wrong = await checkMysqlSchema(pool, config.table, signal);
    if (wrong !== undefined) throw new ServiceError("store_unavailable", wrong, { tier: tier.name });
    schemaIsRight = true;
  };
  const outbox = new MysqlOutbox(pool, config);
  return { secrets: { store: secrets, tier }, outbox, probed: [{ tier, ping }] };
}

function probe(
  { tier, ping }: Probed,
  onTier: (name: string, state: TierState) => void,
  logger: Logger,
): TierProbe {
  const endless = new AbortController().signal;
  return new TierProbe(systemClock, () => tier.probe("ping", () => ping(endless)), (state) => {
    onTier(tier.name, state);
    if (state === "up") logger.info("tier_up", { tier: tier.name });
    else logger.warn("tier_down", { tier: tier.name });
  });
}

function addressText({ hostname, port }: ServerAddress): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}
