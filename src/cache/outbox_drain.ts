import type { Clock, Timer } from "../core/clock.ts";
import type { CacheKey } from "../core/key.ts";
import type { Epoch, OutboxRecord } from "../core/ports.ts";
import { compareVersions, type Version } from "../core/version.ts";
import { EpochInForce, type EpochInForceOptions, type OutboxSource } from "./epoch_in_force.ts";

/** How often the outbox is read. It bounds how long another replica's change may go unnoticed. */
const INTERVAL_MS = 1000;
/** The shortest time between two rounds while a read waits for the tier to become current. */
const HURRY_MS = 100;
/** How many records are read at a time. */
const BATCH = 100;
/** While the tier takes no tombstones: the most records read to find keys to invalidate; with more, all keys are. */
const MAX_UNANNOUNCED = 10_000;

export interface OutboxDrainOptions extends EpochInForceOptions {
  readonly clock: Clock;
  /** Resolves once the shared tier has a tombstone under the key that outranks the version. */
  readonly writeTombstone: (key: CacheKey, version: Version) => Promise<void>;
}

/** The connection to the shared tier at the start of a round. The round's result is valid while it is the same. */
interface Reached {
  readonly epoch: Epoch | undefined;
  readonly interruptions: number;
}

/**
 * Writes tombstones into the shared tier for the changes that could not be announced there: each second, and
 * once whenever this process reaches the tier again. The latter guards against this interleaving:
 *
 *     A                                B
 *     cannot reach Redis               cannot reach Redis
 *                                      writes v2 and its record in the database, returns OK
 *     reaches Redis again
 *     reads the outbox
 *     writes a tombstone for the key
 *     reads: a tombstone, and so v2    without that round, v1
 *
 * Every replica does the same work, so none of them has to stay alive. A record is removed only after its tombstone is
 * written.
 *
 * A tier that answers reads but refuses changes is not read while there are records, and each round invalidates their
 * keys in local memory:
 *
 *     A                                Redis, for want of replicas,     B
 *     writes v2 and its record,        refuses A's tombstone
 *     returns OK                       has v1                           reads the outbox
 *                                      refuses B's tombstone
 *                                                                       reads v2 in the database
 *
 * A tier in an epoch that is not in force is not read at all, see {@link EpochInForce}.
 */
export class OutboxDrain implements Disposable {
  readonly #outbox: OutboxSource;
  readonly #options: OutboxDrainOptions;
  readonly #inForce: EpochInForce;
  readonly #stop = new AbortController();
  /** The connection at the start of the last completed round. */
  #drained: Reached | undefined;
  /** The connection of the last round that found another epoch in force. */
  #outOfForce: Reached | undefined;
  #staleMarks = 0;
  #isRunning = false;
  #beganAtMs = 0;
  #timer: Timer | undefined;

  /** Begins a round at once: changes may have been made before this process started. */
  constructor(outbox: OutboxSource, options: OutboxDrainOptions) {
    this.#outbox = outbox;
    this.#options = options;
    this.#inForce = new EpochInForce(outbox, options);
    this.#drain();
  }

  /** Whether the tier has tombstones for all changes made while it was out of reach. If not, a round begins soon. */
  isCurrent(): boolean {
    if (this.#isStill(this.#drained)) return true;
    const { clock } = this.#options;
    if (this.#isRunning || this.#isStill(this.#outOfForce)) return false;
    if (Math.abs(clock.now() - this.#beganAtMs) >= HURRY_MS) this.#drain();
    return false;
  }

  /** Whether a change announced in this epoch needs no record in the outbox, as far as this process knows. */
  isInForce(epoch: Epoch): boolean {
    return this.#inForce.has(epoch);
  }

  /** The tier lacks changes that have settled by now, or another epoch has come into force: a new round is needed. */
  markStale(): void {
    this.#staleMarks++;
    this.#drained = undefined;
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    this.#timer?.cancel();
  }

  async #drain(): Promise<void> {
    const { clock } = this.#options;
    this.#timer?.cancel();
    this.#isRunning = true;
    this.#beganAtMs = clock.now();
    const reached = this.#reached();
    const staleMarks = this.#staleMarks;
    const isDone = await this.#work(reached).catch(() => false);
    if (isDone && staleMarks === this.#staleMarks) this.#drained = reached;
    this.#isRunning = false;
    if (this.#stop.signal.aborted) return;
    this.#timer = clock.setTimer(() => this.#drain(), INTERVAL_MS, "background");
  }

  /** Resolves to whether the tier is current over this connection. Rejects when either tier fails; done work stays. */
  async #work(reached: Reached): Promise<boolean> {
    const { store, tier } = this.#outbox;
    const { epoch } = reached;
    const { signal } = this.#stop;
    for (let isMore = true; isMore;) {
      if (epoch !== undefined && !await this.#enter(epoch, reached)) return false;
      const records = await tier.read("read the outbox", () => store.pending(BATCH, signal));
      if (records.length === 0) break;
      await this.#writeTombstones(records);
      // The tombstones may be in another server.
      if (epoch === undefined || !this.#isStill(reached)) return false;
      await tier.write("clear the outbox", () => store.clear(records, epoch, signal));
      isMore = records.length === BATCH;
    }
    return epoch !== undefined;
  }

  /** Whether the epoch is in force for certain. */
  async #enter(epoch: Epoch, reached: Reached): Promise<boolean> {
    const isInForce = await this.#inForce.enter(epoch, () => this.#isStill(reached), this.#stop.signal);
    if (isInForce === false) {
      this.markStale();
      this.#outOfForce = reached;
    }
    return isInForce ?? false;
  }

  #reached(): Reached {
    const { epoch, shared } = this.#options;
    return { epoch: epoch.current, interruptions: shared.interruptions };
  }

  #isStill(reached: Reached | undefined): boolean {
    if (reached === undefined) return false;
    const { epoch, shared } = this.#options;
    return reached.interruptions === shared.interruptions && reached.epoch === epoch.current;
  }

  async #writeTombstones(records: readonly OutboxRecord[]): Promise<void> {
    const { writeTombstone, invalidateLocal, observer, shared } = this.#options;
    const newest = new Map<CacheKey, Version>();
    for (const { key, version } of records) {
      const known = newest.get(key);
      if (known === undefined || compareVersions(version, known) > 0) newest.set(key, version);
    }
    try {
      await Promise.all([...newest].map(([key, version]) => writeTombstone(key, version)));
    } catch (error) {
      observer.outboxWaiting(shared.name, records.length);
      this.markStale();
      invalidateLocal(records.length < BATCH ? new Set(newest.keys()) : await this.#unannounced());
      throw error;
    }
  }

  /** The keys of all waiting records. */
  async #unannounced(): Promise<ReadonlySet<CacheKey> | "all"> {
    const { store, tier } = this.#outbox;
    const pending = () => store.pending(MAX_UNANNOUNCED, this.#stop.signal);
    const records = await tier.read("read the outbox", pending);
    return records.length < MAX_UNANNOUNCED ? new Set(records.map(({ key }) => key)) : "all";
  }
}
