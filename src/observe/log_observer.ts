import type { BreakerState } from "../cache/circuit_breaker.ts";
import type { CacheObserver } from "../cache/observer.ts";
import type { TierState } from "../cache/tier_probe.ts";
import type { Clock } from "../core/clock.ts";
import type { InvalidationState } from "../core/ports.ts";
import { CallLog } from "./call_log.ts";
import type { Logger } from "./logger.ts";
import { QuietLog } from "./quiet_log.ts";

/** Where a tier's store is, and which keys of the configuration its errors point to. */
export interface TierDescription {
  /** `127.0.0.1:6379`, or the absolute path of a file. */
  readonly address: string;
  /** The keys to check after this error, such as `data.redis.password`; undefined if it points to none. */
  keysOf(error: unknown): string | undefined;
}

/** What an operator should know about each state except `tracking`. */
const INVALIDATION_NOTES = {
  publishing:
    "Redis refuses CLIENT TRACKING: local memory is invalidated when replicas change an entry, and not when " +
    "other programs do or when Redis evicts it; allow the command to this user",
  refused:
    "Redis refuses CLIENT TRACKING and PUBLISH: local memory is not used; allow either command to this user",
  lost:
    "Redis does not announce changes: local memory serves for cache.local.max_stale at most until it does again",
} as const satisfies Record<Exclude<InvalidationState, "tracking">, string>;

const UNSETTLED_NOTE =
  "the database has not finished changes of these keys; if it finishes them more than a minute from now, when their " +
  "tombstones have expired, other replicas may keep serving the previous values";

const OUT_OF_FORCE_NOTE =
  "other replicas have used another server of this tier since, so this one's secrets are not read; if it is the right " +
  "server, restart it: a server is used again after a restart";

/** What a {@link LogObserver} needs beside its logger. */
export interface LogObserverOptions {
  readonly clock: Clock;
  /** By the tier's name. */
  readonly tiers: ReadonlyMap<string, TierDescription>;
}

/** Logs what goes wrong in the tiers and in the program. A tier that is down does not flood the log. */
export class LogObserver implements CacheObserver, Disposable {
  readonly #logger: Logger;
  readonly #quiet: QuietLog;
  readonly #tiers: ReadonlyMap<string, TierDescription>;
  /** Logs each call, at level debug; undefined at the other levels, so that calls cost nothing extra. */
  readonly calls: CallLog | undefined;

  constructor(logger: Logger, { clock, tiers }: LogObserverOptions) {
    this.#logger = logger;
    this.#quiet = new QuietLog(logger, clock);
    this.#tiers = tiers;
    this.calls = logger.writes("debug") ? new CallLog(logger, clock) : undefined;
  }

  /** Writes the suppressed warnings. */
  [Symbol.dispose](): void {
    this.#quiet[Symbol.dispose]();
  }

  tierFailed(tier: string, operation: string, error: unknown): void {
    this.#tierFailed(tier, this.#tiers.get(tier)?.address, operation, error);
  }

  /** A connection to one of a tier's servers could not be opened or was lost. */
  connectionFailed(tier: string, address: string | undefined, error: Error): void {
    this.#tierFailed(tier, address ?? this.#tiers.get(tier)?.address, "connect", error);
  }

  /** A tier changed its state; `error` is why it refuses changes while it is `read_only`. */
  tierChanged(tier: string, state: TierState, error?: Error): void {
    const fields = { tier, address: this.#tiers.get(tier)?.address, ...(error && { error }) };
    if (state === "up") this.#logger.info("tier_up", fields);
    else this.#logger.warn(`tier_${state}`, fields);
  }

  /** A server's access list forbids a command that the service can do without, at a price. The error names it. */
  commandForbidden(tier: string, error: Error): void {
    this.#quiet.warn(`command_forbidden ${tier} ${error.message}`, "command_forbidden", { tier, error });
  }

  breakerChanged(tier: string, state: BreakerState): void {
    if (state === "open") this.#logger.warn("breaker_open", { tier });
    else this.#logger.info(`breaker_${state}`, { tier });
  }

  outboxWaiting(tier: string, atLeast: number): void {
    this.#quiet.warn(`outbox_waiting ${tier}`, "outbox_waiting", { tier, at_least: atLeast });
  }

  /** Expired rows of the embedded database could not be removed; they are tried again. */
  purgeFailed(error: unknown): void {
    this.#quiet.warn("purge_failed", "purge_failed", { error: asError(error) });
  }

  /** The embedded database's file, made by an earlier release, does not shrink when entries are deleted. */
  fileCannotShrink(): void {
    this.#logger.warn("file_cannot_shrink", {
      note: "an earlier release made the file of data.database: stop the service and run cacheserver migrate",
    });
  }

  changesUnsettled(tier: string, keys: number): void {
    this.#logger.warn("changes_unsettled", { tier, keys, note: UNSETTLED_NOTE });
  }

  outOfForce(tier: string): void {
    this.#quiet.warn(`out_of_force ${tier}`, "out_of_force", { tier, note: OUT_OF_FORCE_NOTE });
  }

  fillDropped(tier: string): void {
    this.#quiet.warn(`fill_dropped ${tier}`, "fill_dropped", { tier });
  }

  /** Local memory now learns of other replicas' changes in this way. */
  invalidationsChanged(state: InvalidationState): void {
    if (state === "tracking") this.#logger.info("invalidations", { state });
    else this.#logger.warn("invalidations", { state, note: INVALIDATION_NOTES[state] });
  }

  /** A Redis node is not a member of the cluster that the service uses. */
  clusterNodeLeft(tier: string): void {
    const note = "not used: most configured and known nodes describe a cluster without it";
    this.#logger.warn("cluster_node_left", { tier, note });
  }

  /** Most Redis nodes now describe another cluster; the service uses it from now on. */
  clusterReplaced(tier: string): void {
    this.#logger.warn("cluster_replaced", {
      tier,
      note: "most nodes describe another cluster: it is used from now on",
    });
  }

  /** Redis nodes answer, but most of them do not describe the same cluster. */
  clusterUndecided(tier: string): void {
    const note =
      "too few of the nodes in data.redis.cluster.addrs and of the known masters describe the same cluster";
    this.#quiet.warn("cluster_undecided", "cluster_undecided", { tier, note });
  }

  /** A call failed by a mistake of this program. */
  callFailed(path: string, error: unknown): void {
    this.#logger.error("call_failed", { path, error: asError(error) });
  }

  /** The transport failed, and no client gets the error; `where` is a method's path or a part of the transport. */
  transportFailed(where: string, error: unknown): void {
    this.#quiet.warn(`transport_failed ${where}`, "transport_failed", { where, error: asError(error) });
  }

  /** The transport crashes on this version of Deno. */
  transportUnsafe(
    transport: string,
    { deno, knownGood }: { deno: string; knownGood: readonly string[] },
  ): void {
    this.#logger.warn("transport_unsafe", { transport, deno, known_good: knownGood.join(" to ") });
  }

  /** The server closed a client's connection because of abuse, or of bytes that are no HTTP/2. */
  clientEnded(peer: string, reason: string): void {
    // One subject for all: reasons contain what clients send, so there is no end of them.
    this.#quiet.warn("client_ended", "client_ended", { peer, reason });
  }

  /** A promise was rejected without a handler: a mistake of this program. */
  rejectionUnhandled(error: unknown): void {
    this.#logger.error("rejection_unhandled", { error: asError(error) });
  }

  #tierFailed(tier: string, address: string | undefined, operation: string, error: unknown): void {
    const check = this.#tiers.get(tier)?.keysOf(error);
    // A line for each cause: a wrong password must not be suppressed by the failures that follow from it.
    this.#quiet.warn(`tier_failed ${tier} ${address} ${check}`, "tier_failed", {
      tier,
      address,
      operation,
      check,
      error: asError(error),
    });
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
