/** The composition root: makes the parts that a configuration asks for, joins them, and ends them in order. */
import { addCacheServer } from "../api/cache_server.ts";
import { addReflection } from "../api/reflection/reflection.ts";
import { Namespaces } from "../business/namespaces.ts";
import { Secrets } from "../business/secrets.ts";
import type { CacheConfig } from "../config/cache/cache.ts";
import type { Config } from "../config/config.ts";
import { pause, systemClock, systemRandom } from "../core/clock.ts";
import { type Endpoint, endpointText } from "../core/endpoint.ts";
import { type HttpServer, serveHttp } from "../gateway/http_server.ts";
import { answerProbe } from "../gateway/probes.ts";
import { Logger } from "../observe/logger.ts";
import { LogObserver } from "../observe/log_observer.ts";
import type { Readiness } from "../observe/readiness.ts";
import type { GrpcServer } from "../transport/service.ts";
import { type Chains, makeChains } from "./chains.ts";
import { grpcServer } from "./grpc.ts";
import { copyPolicy, namespacePolicies } from "./memory.ts";
import { ServiceStatus } from "./service_status.ts";
import { openStores } from "./stores.ts";
import { describeTiers } from "./tier_descriptions.ts";

/** The program, for the first line of the log. */
export interface ProgramDescription {
  readonly version: string;
  /** The commit of its sources; undefined if unknown. */
  readonly commit: string | undefined;
  readonly deno: string;
  /** The source of the configuration. */
  readonly configuration: string;
}

/** A running service. */
export interface App {
  /** The real address of the gRPC server. */
  readonly address: Endpoint;
  /**
   * Announces the drain for `server.drain_delay`, while calls are still accepted. Then accepts no more, waits for the
   * calls in flight, flushes pending copies and closes everything. `signal` is the cause, for the log.
   */
  stop(signal: string): Promise<void>;
}

/**
 * Starts the service; it accepts calls once this resolves. It starts also while Redis or MySQL is down. `writeLog`
 * takes one line of JSON an event. Rejects with a reason of one line, and leaves nothing open.
 */
export async function startApp(
  config: Config,
  program: ProgramDescription,
  writeLog: (line: string) => void,
): Promise<App> {
  const logger = new Logger(systemClock, config.log.level, writeLog);
  const tiers = describeTiers(config);
  logger.info("starting", {
    ...program,
    database: tiers.get("database")?.address,
    redis: tiers.get("redis")?.address,
  });
  await using resources = new AsyncDisposableStack();
  const observer = resources.use(new LogObserver(logger, { clock: systemClock, tiers }));
  logRejections(resources, observer);

  const stores = await openStores(config, resources, observer);
  const chains = await makeChains(config.cache, stores, resources, observer);
  const server = await grpcServer(config, observer);
  addServices(server, config.cache, chains, observer);
  const status = await ServiceStatus.start(server, stores, resources, observer);
  if (chains.haveMemory) status.setTier("local", "up");

  const http = resources.use(await listenHttp(config, status.readiness, observer));
  const address = await underKey("server.grpc.addr", () => server.listen(config.server.grpc));
  status.readiness.serve();
  const names = stores.healthTargets.map(({ tier }) => tier.name);
  logger.info("serving", {
    address: endpointText(address),
    http: endpointText(http.address),
    transport: config.server.grpc.transport,
    tiers: (chains.haveMemory ? ["local", ...names] : names).join(" "),
  });

  const owned = resources.move();
  return {
    address,
    async stop(signal) {
      const { drainDelayMs, grpc: { drainTimeoutMs } } = config.server;
      logger.info("draining", { signal, delay_ms: drainDelayMs, timeout_ms: drainTimeoutMs });
      status.drain();
      if (drainDelayMs > 0) await pause(drainDelayMs, systemClock);
      await server.drain(drainTimeoutMs);
      await owned.disposeAsync();
      logger.info("stopped");
    },
  };
}

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

/** Logs promises that are rejected without a handler. By default Deno ends the process, and all other calls with it. */
function logRejections(resources: AsyncDisposableStack, observer: LogObserver): void {
  const onRejection = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    observer.rejectionUnhandled(event.reason);
  };
  addEventListener("unhandledrejection", onRejection);
  resources.defer(() => removeEventListener("unhandledrejection", onRejection));
}

/** Runs `work`; its error begins with the configuration's key that it is about. */
async function underKey<T>(key: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof Error ? new Error(`${key}: ${error.message}`, { cause: error }) : error;
  }
}
