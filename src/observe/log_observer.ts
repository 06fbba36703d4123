import type { BreakerState } from "../cache/circuit_breaker.ts";
import type { CacheObserver } from "../cache/observer.ts";
import type { Clock } from "../core/clock.ts";
import type { InvalidationState } from "../core/ports.ts";
import type { Logger } from "./logger.ts";

/** At most one line about a tier in this time: a tier that is away fails every request. So do other failures. */
const QUIET_MS = 10_000;

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

/** What has been seen of one tier since its last line. */
interface Silence {
  untilMs: number;
  suppressed: number;
}

/** Logs what goes wrong in the tiers and in the program, without letting a dead tier flood the log. */
export class LogObserver implements CacheObserver {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #silences = new Map<string, Silence>();

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  tierFailed(tier: string, operation: string, error: unknown): void {
    this.#warn(`tier_failed ${tier}`, "tier_failed", { tier, operation, error: asError(error) });
  }

  /** A server's access list forbids a command that the service can do without, at a price; the error names it. */
  commandForbidden(tier: string, error: Error): void {
    this.#warn(`command_forbidden ${tier} ${error.message}`, "command_forbidden", { tier, error });
  }

  breakerChanged(tier: string, state: BreakerState): void {
    if (state === "open") this.#logger.warn("breaker_open", { tier });
    else this.#logger.info(`breaker_${state}`, { tier });
  }

  outboxWaiting(tier: string, atLeast: number): void {
    this.#warn(`outbox_waiting ${tier}`, "outbox_waiting", { tier, at_least: atLeast });
  }

  changesUnsettled(tier: string, keys: number): void {
    this.#logger.warn("changes_unsettled", { tier, keys, note: UNSETTLED_NOTE });
  }

  outOfForce(tier: string): void {
    this.#warn(`out_of_force ${tier}`, "out_of_force", { tier, note: OUT_OF_FORCE_NOTE });
  }

  fillDropped(tier: string): void {
    this.#warn(`fill_dropped ${tier}`, "fill_dropped", { tier });
  }

  /** Local memory hears of what others change in this way from now on. */
  invalidationsAre(state: InvalidationState): void {
    if (state === "tracking") this.#logger.info("invalidations", { state });
    else this.#logger.warn("invalidations", { state, note: NOTES[state] });
  }

  /** A call failed by a mistake of ours. */
  callFailed(path: string, error: unknown): void {
    this.#logger.error("call_failed", { path, error: asError(error) });
  }

  /** The transport failed at something that no client is told: `where` is a method's path, or a part of it. */
  transportFailed(where: string, error: unknown): void {
    this.#warn(`transport_failed ${where}`, "transport_failed", { where, error: asError(error) });
  }

  /** The connection of a client was ended because of what it did: abuse, or bytes that are no HTTP/2. */
  clientEnded(peer: string, reason: string): void {
    // One subject for all: reasons hold what clients send, and so are without number.
    this.#warn("client_ended", "client_ended", { peer, reason });
  }

  /** A promise was rejected that nobody waits for: a mistake of this program. */
  rejectionUnhandled(error: unknown): void {
    this.#logger.error("rejection_unhandled", { error: asError(error) });
  }

  #warn(subject: string, event: string, fields: Readonly<Record<string, string | number | Error>>): void {
    const nowMs = this.#clock.now();
    const silence = this.#silences.get(subject);
    if (silence !== undefined && nowMs < silence.untilMs) {
      silence.suppressed++;
      return;
    }
    const suppressed = silence?.suppressed || undefined;
    this.#silences.set(subject, { untilMs: nowMs + QUIET_MS, suppressed: 0 });
    this.#logger.warn(event, { ...fields, suppressed });
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
