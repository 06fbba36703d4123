import { Chain } from "../../../src/cache/chain.ts";
import type { CopyPolicy } from "../../../src/cache/copy_policy.ts";
import { LocalCopies } from "../../../src/cache/local_copies.ts";
import type { CacheObserver } from "../../../src/cache/observer.ts";
import { LocalCoherence } from "../../../src/cache/local_coherence.ts";
import { Tier } from "../../../src/cache/tier.ts";
import type { Clock } from "../../../src/core/clock.ts";
import type { Entry } from "../../../src/core/entry.ts";
import type { CacheKey } from "../../../src/core/key.ts";
import { type Announcement, ANY_EPOCH, type Caller, type Outbox } from "../../../src/core/ports.ts";
import { ENTRY_OVERHEAD_BYTES, LruMemory } from "../../../src/store/memory/lru.ts";
import type { SimulatedBroadcast } from "./broadcast.ts";
import { PATIENT } from "../cache/caller.ts";
import { type Faults, GONE, MAX_DELAY_MS, NO_FAULTS, type SimulatedNetwork } from "./network.ts";
import type { Change, SimulatedAuthority } from "./authority.ts";
import type { StallingCommits, Stalls } from "./stalling_commits.ts";
import type { Life, SimulatedSharedCache } from "./shared_cache.ts";
import { asFound } from "../cache/as_found.ts";
import { keptAs } from "../cache/kept_as.ts";

/** What all replicas of a simulation have in common. */
export interface World {
  readonly clock: Clock;
  readonly network: SimulatedNetwork;
  readonly authority: SimulatedAuthority;
  /** The master that a replica finds when it looks for one. */
  shared: SimulatedSharedCache;
  readonly broadcast: SimulatedBroadcast;
  readonly commits: StallingCommits;
  /** A commit that had stalled has taken effect. */
  readonly onLate: (key: CacheKey) => void;
  readonly newIntent: () => string;
  readonly random: () => number;
}

/** The tiers that a replica has beside the authority, and what goes wrong on the way to them. */
export interface ReplicaOptions {
  readonly local: boolean;
  /** How local memory keeps its copies, where it has a policy. */
  readonly copies?: CopyPolicy;
  readonly shared: boolean;
  readonly authorityFaults: Faults;
  readonly sharedFaults: Faults;
  /** Of announcements alone, which is what other replicas depend on. */
  readonly announceFaults: Faults;
  /** Of the authority. */
  readonly stalls: Stalls;
  /** Whether a change that cannot be announced is recorded with the authority. */
  readonly outbox: boolean;
  /** Whether the lives of the shared tier are told apart. */
  readonly epochs: boolean;
}

const OUT_OF_REACH: Faults = { ...NO_FAULTS, refused: 1 };
const BREAKER = { failureRatio: 0.5, minCalls: 3, windowMs: 2_000, probeDelayMs: 100 };

const SILENT: CacheObserver = {
  tierFailed() {},
  breakerChanged() {},
  outboxWaiting() {},
  fillDropped() {},
  changesUnsettled() {},
  outOfForce() {},
};
const TIMEOUT_MS = 200;
/** What one of the simulation's entries takes, and a bit less than two. */
const MAX_ENTRY_BYTES = ENTRY_OVERHEAD_BYTES + 50;

/** A process with a chain of its own, which can be killed: nothing that it had begun goes on in it. */
export class Replica {
  readonly #chain: Chain<number, Change>;
  readonly #copies: CopyPolicy | undefined;
  /** Since when it can reach the shared tier without a break. */
  reachesSharedSinceMs: number;
  /** Since when there is a newer master than the one that it uses. */
  supersededSinceMs = Infinity;
  readonly #sharedTier: Tier;
  readonly #world: World;
  #master: SimulatedSharedCache;
  #alive = true;
  #isCutOff = false;

  /** `onTold` is called when this replica was told that a key has changed; undefined: any may have. */
  constructor(world: World, options: ReplicaOptions, onTold: (key: CacheKey | undefined) => void) {
    const { network, authority, broadcast } = world;
    this.#world = world;
    this.#master = world.shared;
    this.#copies = options.copies;
    this.reachesSharedSinceMs = world.clock.now();
    const isAlive = () => this.#alive;
    const clock: Clock = {
      now: () => world.clock.now(),
      monotonic: () => world.clock.monotonic(),
      monotonicOfTurn: () => world.clock.monotonicOfTurn(),
      setTimer: (callback, delayMs) => world.clock.setTimer(() => isAlive() && callback(), delayMs),
    };
    const ask = <T>(apply: () => T) => network.call(apply, options.authorityFaults, isAlive);
    // What is on its way to a server when that is killed never reaches the one that is started in its place.
    const tell = <T>(
      apply: (shared: SimulatedSharedCache, life: Life) => T,
      faults = options.sharedFaults,
    ) => {
      const shared = this.#master;
      const { life } = shared;
      const send = () => shared.life === life ? apply(shared, life) : GONE;
      return network.call<T>(send, this.#isCutOff ? OUT_OF_REACH : faults, isAlive);
    };
    const epoch = () => {
      if (this.#isCutOff) return undefined;
      return options.epochs && options.outbox ? String(this.#master.life) : ANY_EPOCH;
    };
    const tier = (name: string, faults: Faults) => {
      // A store that never stalls always answers in time.
      const timeoutMs = faults.stalled === 0 ? 2 * MAX_DELAY_MS : TIMEOUT_MS;
      const breaker = { ...BREAKER, random: world.random };
      return new Tier({ name, readTimeoutMs: timeoutMs, writeTimeoutMs: timeoutMs, breaker }, clock, SILENT);
    };
    this.#sharedTier = tier("shared", options.sharedFaults);
    const outbox: Outbox = {
      pending: (limit) => ask(() => authority.pending(limit)),
      clear: (records, epoch) => ask(() => authority.clear(records, epoch)),
      // In one step with a look whether the life goes on: the real one keeps the others out meanwhile.
      enter: (entered) => ask(() => authority.enter(entered, entered === epoch())),
    };
    // What is told of is the tier that is Redis: the shared one, or without it the authority.
    const changeShared = (
      key: CacheKey,
      change: (shared: SimulatedSharedCache, life: Life) => void,
      faults = options.sharedFaults,
    ) =>
      tell((shared, life) => {
        change(shared, life);
        broadcast.changed(key, this, (other) => other instanceof Replica && other.#master === shared);
      }, faults);
    /** Whether a change is recorded, in one step with it. */
    const isRecorded = (announcement: Announcement | undefined) => {
      if (announcement?.epoch !== undefined && !authority.isInForce(announcement.epoch)) {
        announcement.epoch = undefined;
      }
      return announcement !== undefined && announcement.epoch === undefined && options.outbox;
    };
    const changeAuthority = <T>(key: CacheKey, change: () => T) => {
      const commit = () => {
        const result = change();
        if (!options.shared) broadcast.changed(key, this);
        return result;
      };
      const late = () => {
        commit();
        world.onLate(key);
      };
      return world.commits.run(() => ask(commit), late, options.stalls);
    };
    const coherence = new LocalCoherence(clock, 0);
    // Room for two entries, so that eviction takes part; copies have their own, so that nobody else drops them.
    const memory = () =>
      new LruMemory({ maxBytes: 2 * MAX_ENTRY_BYTES, maxEntryBytes: MAX_ENTRY_BYTES }, clock);
    this.#chain = new Chain<number, Change>({
      local: options.local ? coherence.wrap(memory().store(keptAs(8))) : undefined,
      copies: options.local && options.copies !== undefined
        ? new LocalCopies(coherence.wrapCopies(memory().store(keptAs(8))), clock, world.random)
        : undefined,
      shared: options.shared
        ? {
          tier: this.#sharedTier,
          ...(options.outbox && { outbox }),
          covers: () => true,
          store: {
            read: (key) => tell((shared, life) => shared.read(key, life)),
            announce: async (key, intent) => {
              const announcedIn = epoch();
              const announce = (shared: SimulatedSharedCache, life: Life) =>
                shared.announce(key, intent, life);
              await changeShared(key, announce, options.announceFaults);
              if (announcedIn === undefined || announcedIn !== epoch()) {
                throw new Error("Simulated reconnect");
              }
              return announcedIn;
            },
            publish: (key, intent, entry) =>
              changeShared(key, (shared, life) => shared.publish(key, intent, entry, life)),
            writeTombstone: (key, intent, version) =>
              changeShared(key, (shared) => shared.writeTombstone(key, intent, version)),
            retract: (key, intent) => changeShared(key, (shared, life) => shared.retract(key, intent, life)),
            fill: (key, lease, entry) =>
              changeShared(key, (shared, life) => shared.fill(key, lease, entry, life)),
            epoch: {
              get current() {
                return epoch();
              },
              confirm: () => Promise.resolve(),
              recheck() {},
            },
          },
        }
        : undefined,
      authority: {
        tier: tier("authority", options.authorityFaults),
        store: {
          read: (key) => ask(() => authority.read(key)),
          write: (key, change, _signal, announcement) =>
            changeAuthority(key, () => {
              const entry = authority.write(key, change);
              if (isRecorded(announcement)) authority.record(key, entry.version);
              return entry;
            }),
          remove: (key, _signal, announcement) =>
            changeAuthority(key, () => {
              const version = authority.remove(key);
              if (isRecorded(announcement)) authority.record(key, version);
              return version;
            }),
          ping: () => ask(() => undefined),
        },
      },
      clock,
      observer: SILENT,
      newIntent: world.newIntent,
      backfillQueueSize: 4,
    });
    coherence.subscribe(this.#chain);
    if (options.local) broadcast.join(this, coherence, onTold);
  }

  get(key: CacheKey): Entry<number> | undefined | Promise<Entry<number> | undefined> {
    return this.#chain.get(key, PATIENT, asFound, this.#copies);
  }

  set(key: CacheKey, caller: Caller, change: Change): Promise<void> {
    return this.#chain.set(key, caller, change, this.#copies);
  }

  delete(key: CacheKey, caller: Caller): Promise<void> {
    return this.#chain.delete(key, caller);
  }

  /** Cuts the way to the shared tier, or mends it; the process notices, as with a connection. */
  setCutOff(isCutOff: boolean): void {
    this.#isCutOff = isCutOff;
    this.reachesSharedSinceMs = isCutOff ? Infinity : this.#world.clock.now();
    this.#sharedTier.interrupted();
  }

  /** The shared tier was started anew: the process notices, as with a connection, and reaches it at once. */
  reconnect(): void {
    this.setCutOff(this.#isCutOff);
  }

  /** There is a newer master than the one that it uses, of which it has not heard. */
  supersede(): void {
    this.supersededSinceMs = Math.min(this.supersededSinceMs, this.#world.clock.now());
  }

  /** Turns to the newest master. */
  follow(): void {
    this.#master = this.#world.shared;
    this.supersededSinceMs = Infinity;
    this.reconnect();
  }

  get isCutOff(): boolean {
    return this.#isCutOff;
  }

  get isAlive(): boolean {
    return this.#alive;
  }

  /** Ends the process: requests that are on their way may still arrive, answers reach nobody. */
  kill(): void {
    this.#alive = false;
    this.#world.broadcast.leave(this);
  }
}
