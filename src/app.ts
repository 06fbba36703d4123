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
import { monotonicMs, systemClock, systemRandom } from "./core/clock.ts";
import type { EntryChange } from "./core/entry_change.ts";
import { ServiceError } from "./core/errors.ts";
import type { Authority, Invalidations, LocalStore, Outbox, SharedCache } from "./core/ports.ts";
import { covers, type Secret, type SecretChange } from "./core/secret.ts";
import { copyPolicy, localCopies, namespacePolicies } from "./cache_policies.ts";
import { grpcServer } from "./grpc_server.ts";
import { serveHttp } from "./http_server.ts";
import { Logger } from "./observe/logger.ts";
import { LogObserver } from "./observe/log_observer.ts";
import { answerProbe } from "./probes.ts";
import { Readiness } from "./readiness.ts";
import { KEPT_BYTES, KEPT_SECRETS } from "./store/kept_values.ts";
import { LruMemory } from "./store/lru.ts";
import { isRowBusy } from "./store/mysql_errors.ts";
import { MysqlOutbox } from "./store/mysql_outbox.ts";
import { MysqlSecrets } from "./store/mysql_secrets.ts";
import { TooManyUnsettled } from "./store/mysql_unsettled.ts";
import { SqliteFile } from "./store/sqlite_file.ts";
import { openSqlite, type SqliteOpenOptions } from "./store/sqlite_open.ts";
import { SqliteEntries } from "./store/sqlite_entries.ts";
import { SqliteSecrets } from "./store/sqlite_secrets.ts";
import { tierNotes } from "./tier_notes.ts";
import { isKnownGoodDeno, KNOWN_GOOD_DENO } from "./transport/grpc_js/deno_versions.ts";
import type { ServerAddress } from "./transport/service.ts";

/** The longest that an operation on the embedded database waits while another program has its file locked. */
const SQLITE_WAIT_MS = 1000;

/** The same as a share of what a call may take at most: the caller is to learn what was wrong. */
const SQLITE_WAIT_SHARE = 0.9;

/** What the log of the embedded database takes on the disk, and what it makes the file longer by. */
const SQLITE_LOG_BYTES = 2 * 2 ** 20;

/** One of the places where the truth or a copy of it is kept, as health and logs see it. */
interface Probed {
  readonly tier: Tier;
  ping(signal: AbortSignal): Promise<void>;
  /** The embedded store, which may answer and yet take no changes. */
  readonly file?: SqliteFile;
}

/** Where the truth is kept. */
interface Held<V, C> {
  readonly store: Authority<V, C>;
  readonly tier: Tier;
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

/** What is started, for the first line of the log. */
export interface ProgramDescription {
  readonly version: string;
  /** What the program was built of; undefined where that is not known. */
  readonly commit: string | undefined;
  readonly deno: string;
  /** Where the configuration comes from. */
  readonly configuration: string;
}

/** A running service. */
export interface App {
  /** Where it really listens. */
  readonly address: ServerAddress;
  /**
   * Announces the drain for `server.drain_delay`, while calls are still taken. Then takes no more, lets those in flight
   * end, flushes what is on its way and closes everything. `signal` is what asked for it, for the log.
   */
  stop(signal: string): Promise<void>;
}

/**
 * Starts the service; it takes calls once this resolves. A Redis or MySQL that is down does not keep it from
 * starting. `writeLog` is handed one line of JSON an event. Rejects with a one-line reason, with nothing left open.
 */
export async function startApp(
  config: Config,
  program: ProgramDescription,
  writeLog: (line: string) => void,
): Promise<App> {
  const logger = new Logger(systemClock, config.log.level, writeLog);
  const notes = tierNotes(config);
  logger.info("starting", {
    ...program,
    database: notes.get("database")?.address,
    redis: notes.get("redis")?.address,
  });
  await using resources = new AsyncDisposableStack();
  const observer = resources.use(
    new LogObserver(logger, { clock: systemClock, nowMs: monotonicMs, notes }),
  );
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
    keepsWrites: stores.listen === undefined,
  }));
  const secrets = resources.use(chain({
    ...common,
    local: guarded(memory?.store(KEPT_SECRETS)),
    copies: secretCopies && localCopies(memory, gate, KEPT_SECRETS),
    shared: stores.sharedSecrets && { ...stores.sharedSecrets, covers },
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
  const readiness = new Readiness([stores.entries, stores.secrets].map(({ tier }) => tier.name));
  const onTier = (name: string, state: TierState) => {
    health.setTier(name, state === "up" ? "SERVING" : "NOT_SERVING");
    readiness.setTier(name, state);
  };
  if (memory !== undefined) onTier("local", "up");
  const probes = stores.probed.map((probed) => resources.use(probe(probed, onTier, observer)));
  await Promise.all(probes.map((each) => each.asked));

  warnOfUnsafeTransport(config, logger);
  const http = resources.use(
    await underKey("server.http.addr", () =>
      serveHttp(config.server.http, {
        limits: config.server.http.limits,
        clock: systemClock,
        handle: (request) => answerProbe(request, () => readiness.report()),
        onError: (error) => observer.transportFailed("http", error),
      })),
  );
  const address = await underKey("server.grpc.addr", () => server.listen(config.server.grpc));
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
    async stop(signal) {
      const { drainDelayMs, grpc: { drainTimeoutMs } } = config.server;
      logger.info("draining", { signal, delay_ms: drainDelayMs, timeout_ms: drainTimeoutMs });
      health.drain();
      readiness.drain();
      if (drainDelayMs > 0) {
        await new Promise<void>((resolve) => systemClock.setTimer(resolve, drainDelayMs));
      }
      await server.drain(drainTimeoutMs);
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

/** What `work` resolves to; its error begins with the key of the configuration that it comes from. */
async function underKey<T>(key: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof Error ? new Error(`${key}: ${error.message}`, { cause: error }) : error;
  }
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
    const isNew = sizeOf(database.path) === 0;
    // Opening the file brings it to the present schema.
    using opened = await openSqlite(database.path, sqliteOptions(config, "any"));
    if (isNew) done.push("Created the file.");
    if (opened.isRebuilt) done.push("The file was written anew, so that it can shrink.");
  }
  return done.length > 0 ? done : ["Nothing was missing."];
}

/** In bytes; 0 for a file that is not there. */
function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    return 0;
  }
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
  if (database.driver === "sqlite" && redis === undefined) {
    return await openEmbedded(config, database, resources, observer);
  }
  if (redis === undefined) {
    throw new TypeError("Cannot serve namespaced entries: the configuration has no redis");
  }
  // Drivers are loaded where they are used, so that no start waits for one that it does not need.
  const { openRedis } = await import("./redis_tier.ts");
  if (database.driver === "sqlite") {
    // Nobody else reads this file, so a copy of its secrets in Redis would only be one more thing to keep right.
    const { secrets, probed } = await openEmbedded(config, database, resources, observer);
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
async function openEmbedded(
  config: Config,
  { path, maxBytes }: SqliteConfig,
  resources: AsyncDisposableStack,
  observer: LogObserver,
): Promise<Stores> {
  const { timeoutMs } = config.server.grpc;
  const tier = new Tier(
    { name: "database", readTimeoutMs: timeoutMs, writeTimeoutMs: timeoutMs },
    systemClock,
    observer,
  );
  const opened = resources.use(await openSqlite(path, sqliteOptions(config, "small")));
  const waitMs = Math.min(SQLITE_WAIT_MS, SQLITE_WAIT_SHARE * timeoutMs);
  const file = resources.use(new SqliteFile(opened, { clock: systemClock, waitMs }));
  if (!file.pages.canShrink) observer.fileCannotShrink();
  const entries = resources.use(new SqliteEntries(file, { clock: systemClock, maxBytes, observer }));
  const secrets = new SqliteSecrets(file);
  return {
    entries: { store: entries, tier },
    sharedSecrets: undefined,
    secrets: { store: secrets, tier },
    probed: [{ tier, ping: (signal) => secrets.ping(signal), file }],
    listen: undefined,
  };
}

function sqliteOptions({ cache }: Config, rebuilds: SqliteOpenOptions["rebuilds"]): SqliteOpenOptions {
  return {
    clock: systemClock,
    owner: `process ${Deno.pid} on host ${Deno.hostname()}`,
    reserveBytes: SQLITE_LOG_BYTES + 2 * cache.maxValueBytes,
    roomBytes: Math.max(SQLITE_LOG_BYTES, 2 * cache.maxValueBytes),
    rebuilds,
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
      isRefusal: (error) => isRowBusy(error) || error instanceof TooManyUnsettled,
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
  { tier, ping, file }: Probed,
  onTier: (name: string, state: TierState) => void,
  observer: LogObserver,
): TierProbe {
  const endless = new AbortController().signal;
  const ask = async () => {
    await tier.probe("ping", () => ping(endless));
    await file?.checkWritable();
  };
  const probe = new TierProbe(systemClock, ask, (state, error) => {
    onTier(tier.name, state);
    observer.tierIs(tier.name, state, error);
  });
  file?.whenRefusalChanges((refusal) => probe.refusesChanges(refusal));
  return probe;
}

function addressText({ hostname, port }: ServerAddress): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}
