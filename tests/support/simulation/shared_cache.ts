import type { Clock } from "../../../src/core/clock.ts";
import { type Entry, isExpired } from "../../../src/core/entry.ts";
import type { CacheKey } from "../../../src/core/key.ts";
import type { SharedRead } from "../../../src/core/ports.ts";
import { compareVersions, type Version } from "../../../src/core/version.ts";

/** The epoch that a client takes the store to be in; it learns it when its connection begins. */
export type ServerEpoch = number;

interface StoredItem {
  /** Undefined: a tombstone. */
  readonly entry: Entry<number> | undefined;
  readonly version: Version;
  /** When the entry was put there. */
  readonly serverEpoch: ServerEpoch;
  /** When each was announced. */
  readonly intents: ReadonlyMap<string, ServerEpoch>;
  readonly goneAtMs: number;
}

interface Lease {
  readonly text: string;
  readonly serverEpoch: ServerEpoch;
  readonly goneAtMs: number;
}

const TOMBSTONE_TTL_MS = 60_000;
const LEASE_TTL_MS = 15_000;

/** A rule that is left out, to see that schedules miss it. */
export type Weakness = "fills need no lease" | "announcements leave leases" | "all epochs are one";

export interface SharedCacheOptions {
  /** How many intents a tombstone has at most, before one without a writer replaces them. */
  readonly maxIntents: number;
  readonly weakness?: Weakness;
}

/** The rules of src/store/redis/secret_scripts.ts in memory. */
export class SimulatedSharedCache {
  readonly #clock: Clock;
  readonly #options: SharedCacheOptions;
  #held = new Map<CacheKey, StoredItem>();
  #leases = new Map<CacheKey, Lease>();
  #snapshot = { held: new Map(this.#held), leases: new Map(this.#leases) };
  readonly #newEpoch: () => ServerEpoch;
  #serverEpoch: ServerEpoch;
  #lastLease = 0;

  /** `newEpoch` gives a number that no other epoch of any server has. */
  constructor(clock: Clock, newEpoch: () => ServerEpoch, options: SharedCacheOptions) {
    this.#clock = clock;
    this.#newEpoch = newEpoch;
    this.#serverEpoch = newEpoch();
    this.#options = options;
  }

  /** A replica of this one that becomes a master of its own: it has what was saved last, if it has not caught up. */
  promoted(has: "all" | "saved"): SimulatedSharedCache {
    const next = new SimulatedSharedCache(this.#clock, this.#newEpoch, this.#options);
    const { held, leases } = has === "saved" ? this.#snapshot : { held: this.#held, leases: this.#leases };
    next.#held = new Map(held);
    next.#leases = new Map(leases);
    next.#lastLease = this.#lastLease + 1000;
    next.save();
    return next;
  }

  get serverEpoch(): ServerEpoch {
    return this.#serverEpoch;
  }

  read(key: CacheKey, serverEpoch: ServerEpoch): SharedRead<number> {
    const held = this.#get(key);
    if (held !== undefined && held.entry === undefined) return "tombstone";
    if (held?.entry !== undefined && this.#isOf(serverEpoch, held)) return held.entry;
    const existing = this.#lease(key);
    if (existing?.serverEpoch === serverEpoch) return { lease: existing.text };
    const text = `lease ${++this.#lastLease}`;
    this.#leases.set(key, { text, serverEpoch, goneAtMs: this.#clock.now() + LEASE_TTL_MS });
    return { lease: text };
  }

  announce(key: CacheKey, intent: string, serverEpoch: ServerEpoch): void {
    const held = this.#get(key);
    this.#writeTombstone(key, held?.version, new Map([...held?.intents ?? [], [intent, serverEpoch]]));
  }

  retract(key: CacheKey, intent: string, serverEpoch: ServerEpoch): void {
    const held = this.#get(key);
    if (held?.intents.get(intent) !== serverEpoch) return;
    const others = new Map([...held.intents].filter(([each]) => each !== intent));
    if (others.size === 0) this.#held.delete(key);
    else this.#writeTombstone(key, held.version, others);
  }

  publish(key: CacheKey, intent: string, entry: Entry<number>, serverEpoch: ServerEpoch): void {
    const held = this.#get(key);
    const alone = held?.intents.size === 1 && held.intents.get(intent) === serverEpoch;
    if (alone && compareVersions(entry.version, held.version) >= 0) this.#put(key, entry, serverEpoch);
    else this.writeTombstone(key, intent, entry.version);
  }

  writeTombstone(key: CacheKey, intent: string, version: Version | undefined): void {
    const held = this.#get(key);
    const newest = [held?.version, version].filter((each) => each !== undefined).sort(compareVersions).at(-1);
    this.#writeTombstone(key, newest, new Map([...held?.intents ?? []].filter(([each]) => each !== intent)));
  }

  fill(key: CacheKey, lease: string, entry: Entry<number>, serverEpoch: ServerEpoch): void {
    const existing = this.#lease(key);
    const isGiven = this.#options.weakness === "fills need no lease"
      ? this.#get(key) === undefined
      : existing?.text === lease && existing.serverEpoch === serverEpoch;
    if (isGiven) this.#put(key, entry, serverEpoch);
  }

  /** Forgets everything, as FLUSHALL does. */
  flush(): void {
    this.#held.clear();
    this.#leases.clear();
  }

  /** Forgets the value of a key, or its lease, as an eviction does. */
  evict(key: CacheKey, part: "value" | "lease"): void {
    (part === "value" ? this.#held : this.#leases).delete(key);
  }

  /** From now on a restart brings back the present contents. */
  save(): void {
    this.#snapshot = { held: new Map(this.#held), leases: new Map(this.#leases) };
  }

  /** Begins another epoch with what was saved last. */
  restart(): void {
    this.#held = new Map(this.#snapshot.held);
    this.#leases = new Map(this.#snapshot.leases);
    this.#serverEpoch = this.#newEpoch();
  }

  #isOf(serverEpoch: ServerEpoch, held: StoredItem): boolean {
    return held.serverEpoch === serverEpoch || this.#options.weakness === "all epochs are one";
  }

  #get(key: CacheKey): StoredItem | undefined {
    const held = this.#held.get(key);
    return held !== undefined && held.goneAtMs > this.#clock.now() ? held : undefined;
  }

  #lease(key: CacheKey): Lease | undefined {
    const lease = this.#leases.get(key);
    return lease !== undefined && lease.goneAtMs > this.#clock.now() ? lease : undefined;
  }

  #put(key: CacheKey, entry: Entry<number>, serverEpoch: ServerEpoch): void {
    this.#leases.delete(key);
    const { version, expiresAtMs: goneAtMs } = entry;
    if (isExpired(entry, this.#clock)) this.#held.delete(key);
    else this.#held.set(key, { entry, version, serverEpoch, intents: new Map(), goneAtMs });
  }

  #writeTombstone(
    key: CacheKey,
    version: Version | undefined,
    intents: ReadonlyMap<string, ServerEpoch>,
  ): void {
    if (this.#options.weakness !== "announcements leave leases") this.#leases.delete(key);
    const goneAtMs = this.#clock.now() + TOMBSTONE_TTL_MS;
    const isFull = intents.size >= this.#options.maxIntents;
    this.#held.set(key, {
      entry: undefined,
      version: version ?? { id: 0, revision: 0 },
      serverEpoch: this.#serverEpoch,
      intents: isFull ? new Map([["joint", this.#serverEpoch]]) : intents,
      goneAtMs,
    });
  }
}
