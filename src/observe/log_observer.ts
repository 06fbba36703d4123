import type { BreakerState } from "../cache/circuit_breaker.ts";
import type { CacheObserver } from "../cache/observer.ts";
import type { TierState } from "../cache/tier_probe.ts";
import type { Clock } from "../core/clock.ts";
import type { InvalidationState } from "../core/ports.ts";
import { CallLog } from "./call_log.ts";
import type { Logger } from "./logger.ts";
import { QuietLog } from "./quiet_log.ts";
import type { TierNotes } from "./tier_notes.ts";

/** What an operator should know about each way of hearing of changes but the best. */
const NOTES = {
  publishing:
    "Redis refuses CLIENT TRACKING: local memory hears of what replicas change, and not of what other " +
    "programs change in Redis or Redis itself drops",
  refused: "Redis refuses CLIENT TRACKING and PUBLISH: local memory is not used",
  lost: "local memory is not used until Redis tells of changes again, but for cache.local.max_stale",
} as const satisfies Record<Exclude<InvalidationState, "tracking">, string>;

const UNSETTLED_NOTE =
  "the database has not come to an end with changes of these keys; if it does so later than a tombstone lasts, a minute " +
  "from now on, other replicas may go on serving what was before";

const OUT_OF_FORCE_NOTE =
  "other replicas have used another server of this tier since, so no secrets are read from this one; if it is the right " +
  "one, restart it: a server that was left counts again once it has started anew";

/** What a {@link LogObserver} goes by. */
export interface LogObserverOptions {
  readonly clock: Clock;
  /** By tier. */
  readonly notes: ReadonlyMap<string, TierNotes>;
}

/** Logs what goes wrong in the tiers and in the program, without letting a dead tier flood the log. */
export class LogObserver implements CacheObserver, Disposable {
  readonly #logger: Logger;
  readonly #quiet: QuietLog;
  readonly #notes: ReadonlyMap<string, TierNotes>;
  /** Where calls are logged one by one, at level debug; undefined otherwise, so that they cost nothing. */
  readonly calls: CallLog | undefined;

  constructor(logger: Logger, { clock, notes }: LogObserverOptions) {
    this.#logger = logger;
    this.#quiet = new QuietLog(logger, clock);
    this.#notes = notes;
    this.calls = logger.writes("debug") ? new CallLog(logger, clock) : undefined;
  }

  /** Writes the failures that have been kept back. */
  [Symbol.dispose](): void {
    this.#quiet[Symbol.dispose]();
  }

  tierFailed(tier: string, operation: string, error: unknown): void {
    this.#tierFailed(tier, this.#notes.get(tier)?.address, operation, error);
  }

  /** A connection to one of a tier's servers could not be opened or was lost. */
  connectionFailed(tier: string, address: string | undefined, error: Error): void {
    this.#tierFailed(tier, address ?? this.#notes.get(tier)?.address, "connect", error);
  }

  /** A tier answers, or no longer does, or takes no changes: `refusal` says why. */
  tierIs(tier: string, state: TierState, refusal?: Error): void {
    const fields = { tier, address: this.#notes.get(tier)?.address, ...(refusal && { error: refusal }) };
    if (state === "up") this.#logger.info("tier_up", fields);
    else this.#logger.warn(`tier_${state}`, fields);
  }

  /** A server's access list forbids a command that the service can do without, at a price; the error names it. */
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

  /** Expired rows of the embedded database wait, because they could not be removed. */
  purgeFailed(error: unknown): void {
    this.#quiet.warn("purge_failed", "purge_failed", { error: asError(error) });
  }

  /** The embedded database's file, made by an earlier release, keeps the room that deleted entries had. */
  fileCannotShrink(): void {
    this.#logger.warn("file_cannot_shrink", {
      note: "an earlier release made it; run migrate while it is not served",
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

  /** Local memory hears of what others change in this way from now on. */
  invalidationsAre(state: InvalidationState): void {
    if (state === "tracking") this.#logger.info("invalidations", { state });
    else this.#logger.warn("invalidations", { state, note: NOTES[state] });
  }

  /** A node of Redis is not a member of the cluster that the service uses. */
  clusterNodeLeft(tier: string): void {
    const note = "not a member of the cluster that most of the configured and known nodes describe: not used";
    this.#logger.warn("cluster_node_left", { tier, note });
  }

  /** The nodes of Redis have been made another cluster, which the service uses from now on. */
  clusterReplaced(tier: string): void {
    this.#logger.warn("cluster_replaced", {
      tier,
      note: "most nodes describe another cluster: it is used now",
    });
  }

  /** Nodes of Redis answer, but they do not describe one cluster that most of them are members of. */
  clusterUndecided(tier: string): void {
    const note = "too few of data.redis.cluster.addrs and of the known masters describe the same cluster";
    this.#quiet.warn("cluster_undecided", "cluster_undecided", { tier, note });
  }

  /** A call failed by a mistake of ours. */
  callFailed(path: string, error: unknown): void {
    this.#logger.error("call_failed", { path, error: asError(error) });
  }

  /** The transport failed at something that no client is told: `where` is a method's path, or a part of it. */
  transportFailed(where: string, error: unknown): void {
    this.#quiet.warn(`transport_failed ${where}`, "transport_failed", { where, error: asError(error) });
  }

  /** The connection of a client was ended because of what it did: abuse, or bytes that are no HTTP/2. */
  clientEnded(peer: string, reason: string): void {
    // One subject for all: reasons hold what clients send, and so are without number.
    this.#quiet.warn("client_ended", "client_ended", { peer, reason });
  }

  /** A promise was rejected that nobody waits for: a mistake of this program. */
  rejectionUnhandled(error: unknown): void {
    this.#logger.error("rejection_unhandled", { error: asError(error) });
  }

  #tierFailed(tier: string, address: string | undefined, operation: string, error: unknown): void {
    const check = this.#notes.get(tier)?.keysOf(error);
    // A password that is refused is the cause of all that fails behind it: each cause has its own line.
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
