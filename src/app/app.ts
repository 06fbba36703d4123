/** The composition root: makes the parts that a configuration asks for, joins them, and ends them in order. */
import { addCacheServer } from "../api/cache_server.ts";
import { Health } from "../api/health/health.ts";
import { addReflection } from "../api/reflection/reflection.ts";
import { Namespaces } from "../business/namespaces.ts";
import { Secrets } from "../business/secrets.ts";
import { TierProbe, type TierState } from "../cache/tier_probe.ts";
import type { CacheConfig, Config } from "../config/config.ts";
import { systemClock, systemRandom } from "../core/clock.ts";
import { type Endpoint, endpointText } from "../core/endpoint.ts";
import { type HttpServer, serveHttp } from "../gateway/http_server.ts";
import { answerProbe } from "../gateway/probes.ts";
import { Logger } from "../observe/logger.ts";
import { LogObserver } from "../observe/log_observer.ts";
import { Readiness } from "../observe/readiness.ts";
import { isKnownGoodDeno, KNOWN_GOOD_DENO } from "../transport/grpc_js/deno_versions.ts";
import type { GrpcServer } from "../transport/service.ts";
import type { HealthTarget } from "./backend.ts";
import { type Chains, makeChains } from "./chains.ts";
import { grpcServer } from "./grpc.ts";
import { copyPolicy, namespacePolicies } from "./memory.ts";
import { openStores } from "./stores.ts";
import { tierNotes } from "./tier_notes.ts";

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
  readonly address: Endpoint;
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
  const observer = resources.use(new LogObserver(logger, { clock: systemClock, notes }));
  surviveRejections(resources, observer);

  const stores = await openStores(config, resources, observer);
  const chains = await makeChains(config.cache, stores, resources, observer);
  const server = await grpcServer(config, observer);
  addServices(server, config.cache, chains, observer);
  const health = new Health(server);
  const readiness = new Readiness([stores.entries, stores.secrets].map(({ tier }) => tier.name));
  const onTier = (name: string, state: TierState) => {
    health.setTier(name, state === "up" ? "SERVING" : "NOT_SERVING");
    readiness.setTier(name, state);
  };
  if (chains.haveMemory) onTier("local", "up");
  const probes = stores.healthTargets.map((target) => resources.use(probe(target, onTier, observer)));
  await Promise.all(probes.map((each) => each.asked));

  warnOfUnsafeTransport(config, logger);
  const http = resources.use(await listenHttp(config, readiness, observer));
  const address = await underKey("server.grpc.addr", () => server.listen(config.server.grpc));
  readiness.serve();
  const tiers = stores.healthTargets.map(({ tier }) => tier.name);
  logger.info("serving", {
    address: endpointText(address),
    http: endpointText(http.address),
    transport: config.server.grpc.transport,
    tiers: (chains.haveMemory ? ["local", ...tiers] : tiers).join(" "),
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

/** Adds the service itself and server reflection. */
function addServices(server: GrpcServer, cache: CacheConfig, chains: Chains, observer: LogObserver): void {
  addCacheServer(server, {
    namespaces: new Namespaces(chains.entries, {
      clock: systemClock,
      random: systemRandom,
      maxValueBytes: cache.maxValueBytes,
      policies: namespacePolicies(cache),
    }),
    secrets: new Secrets(chains.secrets, {
      clock: systemClock,
      newSecretKey: () => crypto.randomUUID(),
      copies: copyPolicy(cache.secrets),
    }),
    clock: systemClock,
    observer,
  });
  addReflection(server, observer);
}

function listenHttp({ server }: Config, readiness: Readiness, observer: LogObserver): Promise<HttpServer> {
  return underKey("server.http.addr", () =>
    serveHttp(server.http, {
      limits: server.http.limits,
      clock: systemClock,
      handle: (request) => answerProbe(request, () => readiness.report()),
      onError: (error) => observer.transportFailed("http", error),
    }));
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

function probe(
  { tier, ping, changes }: HealthTarget,
  onTier: (name: string, state: TierState) => void,
  observer: LogObserver,
): TierProbe {
  const endless = new AbortController().signal;
  const ask = async () => {
    await tier.probe("ping", () => ping(endless));
    await changes?.checkWritable();
  };
  const probe = new TierProbe(systemClock, ask, (state, error) => {
    onTier(tier.name, state);
    observer.tierIs(tier.name, state, error);
  });
  changes?.whenRefusalChanges((refusal) => probe.refusesChanges(refusal));
  return probe;
}
