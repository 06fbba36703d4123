import type { Clock, Timer } from "../core/clock.ts";
import type { CacheKey } from "../core/key.ts";
import type { Epoch, Outbox, OutboxRecord } from "../core/ports.ts";
import { compareVersions, type Version } from "../core/version.ts";
import { EpochInForce, type EpochInForceOptions } from "./epoch_in_force.ts";
import type { Tier } from "./tier.ts";

/** How often the outbox is looked into: how long another replica's change may go unnoticed at most. */
const INTERVAL_MS = 1000;
/** The shortest time between two looks while somebody waits for the tier to be trusted again. */
const HURRY_MS = 100;
/** How many records are taken at a time. */
const BATCH = 100;
/** How many records are looked at for the keys to drop, while the tier cannot be told; behind more, all are dropped. */
const MAX_UNTOLD = 10_000;

/** An outbox as its worker sees it, and the tier it is part of. */
export interface OutboxSource {
  readonly store: Outbox;
  readonly tier: Tier;
}

export interface OutboxDrainOptions extends EpochInForceOptions {
  readonly clock: Clock;
  /** Resolves once the shared tier has a tombstone under the key that outranks the version. */
  readonly writeTombstone: (key: CacheKey, version: Version) => Promise<void>;
}

/** Under what a round has begun: what it finds out holds only as long as both stay as they are. */
interface Reached {
  readonly epoch: Epoch | undefined;
  readonly interruptions: number;
}

/**
 * Tells the shared tier of the changes that it could not be told of when they were made, each second and once
 * after each time in which this process could not reach it. The interleaving that the latter guards against:
 *
 *     A                                B
 *     cannot reach Redis               cannot reach Redis
 *                                      writes v2 and its record in the database, returns OK
 *     reaches Redis again
 *     looks into the outbox
 *     writes a tombstone for the key
 *     reads: a tombstone, and so v2    without the look, v1
 *
 * Every replica does the same work, so that no one has to be alive; a record goes only after its tombstone stands.
 *
 * A tier that answers reads but refuses changes is not trusted while there are records, and what this process keeps of
 * their keys is dropped at each look:
 *
 *     A                                Redis, for want of replicas,     B
 *     writes v2 and its record,        refuses A's tombstone
 *     returns OK                       has v1                           looks into the outbox
 *                                      refuses B's tombstone
 *                                                                       reads v2 in the database
 *
 * A life of the tier that is not in force is not trusted at all, see {@link EpochInForce}.
 */
export class OutboxDrain implements Disposable {
  readonly #outbox: OutboxSource;
  readonly #options: OutboxDrainOptions;
  readonly #inForce: EpochInForce;
  readonly #stop = new AbortController();
  /** Where the last drain that came to its end had begun. */
  #drained: Reached | undefined;
  /** Where the last one found out that another life is in force. */
  #outOfForce: Reached | undefined;
  #distrusts = 0;
  #isRunning = false;
  #beganAtMs = 0;
  #timer: Timer | undefined;

  /** Begins at once: what happened before this process did is not known to it. */
  constructor(outbox: OutboxSource, options: OutboxDrainOptions) {
    this.#outbox = outbox;
    this.#options = options;
    this.#inForce = new EpochInForce(outbox, options);
    this.#drain();
  }

  /** Whether the tier was told of all that was changed while it was out of reach. If not, that is hurried up. */
  mayTrust(): boolean {
    if (this.#isStill(this.#drained)) return true;
    const { clock } = this.#options;
    if (this.#isRunning || this.#isStill(this.#outOfForce)) return false;
    if (Math.abs(clock.now() - this.#beganAtMs) >= HURRY_MS) this.#drain();
    return false;
  }

  /** Whether a change that was announced in this life need not be recorded, as far as is known. */
  isInForce(epoch: Epoch): boolean {
    return this.#inForce.has(epoch);
  }

  /**
   * Says that the tier has not been told of changes which have come to their end by now, or that another life of it
   * has come into force.
   */
  markDirty(): void {
    this.#distrusts++;
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
    const distrusts = this.#distrusts;
    const isDone = await this.#work(reached).then((isDone) => isDone, () => false);
    if (isDone && distrusts === this.#distrusts) this.#drained = reached;
    this.#isRunning = false;
    if (this.#stop.signal.aborted) return;
    this.#timer = clock.setTimer(() => this.#drain(), INTERVAL_MS, "background");
  }

  /**
   * Resolves to whether the tier, as it was reached, may be trusted. Rejects when either tier fails; what has been done
   * by then stays done.
   */
  async #work(reached: Reached): Promise<boolean> {
    const { store, tier } = this.#outbox;
    const { epoch } = reached;
    const { signal } = this.#stop;
    for (let isMore = true; isMore;) {
      if (epoch !== undefined && !await this.#enter(epoch, reached)) return false;
      const records = await tier.read("read the outbox", () => store.pending(BATCH, signal));
      if (records.length === 0) break;
      await this.#writeTombstone(records);
      // The tombstones may be somewhere else.
      if (epoch === undefined || !this.#isStill(reached)) return false;
      await tier.write("clear the outbox", () => store.clear(records, epoch, signal));
      isMore = records.length === BATCH;
    }
    return epoch !== undefined;
  }

  /** Whether the life may be trusted, as far as that goes. */
  async #enter(epoch: Epoch, reached: Reached): Promise<boolean> {
    const isInForce = await this.#inForce.enter(epoch, () => this.#isStill(reached), this.#stop.signal);
    if (isInForce === false) {
      this.markDirty();
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

  async #writeTombstone(records: readonly OutboxRecord[]): Promise<void> {
    const { writeTombstone, forget, observer, shared } = this.#options;
    const newest = new Map<CacheKey, Version>();
    for (const { key, version } of records) {
      const known = newest.get(key);
      if (known === undefined || compareVersions(version, known) > 0) newest.set(key, version);
    }
    try {
      await Promise.all([...newest].map(([key, version]) => writeTombstone(key, version)));
    } catch (error) {
      observer.outboxWaiting(shared.name, records.length);
      this.markDirty();
      forget(records.length < BATCH ? new Set(newest.keys()) : await this.#untold());
      throw error;
    }
  }

  /** The keys of all records that wait. */
  async #untold(): Promise<ReadonlySet<CacheKey> | "all"> {
    const { store, tier } = this.#outbox;
    const pending = () => store.pending(MAX_UNTOLD, this.#stop.signal);
    const records = await tier.read("read the outbox", pending);
    return records.length < MAX_UNTOLD ? new Set(records.map(({ key }) => key)) : "all";
  }
}
