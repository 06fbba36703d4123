import { Chain } from "../../../src/cache/chain.ts";
import type { CacheObserver } from "../../../src/cache/observer.ts";
import { Tier } from "../../../src/cache/tier.ts";
import type { Clock } from "../../../src/core/clock.ts";
import type { Outbox } from "../../../src/core/ports.ts";
import { LruMemory } from "../../../src/store/lru.ts";
import { type Faults, MAX_DELAY_MS, type SimulatedNetwork } from "./network.ts";
import type { Change, SimulatedAuthority, SimulatedSharedCache } from "./stores.ts";

/** What all replicas of a simulation have in common. */
export interface World {
  readonly clock: Clock;
  readonly network: SimulatedNetwork;
  readonly authority: SimulatedAuthority;
  readonly shared: SimulatedSharedCache;
  readonly newIntent: () => string;
  readonly random: () => number;
}

/** The tiers that a replica has beside the authority, and what goes wrong on the way to them. */
export interface ReplicaOptions {
  readonly local: boolean;
  readonly shared: boolean;
  readonly authorityFaults: Faults;
  readonly sharedFaults: Faults;
  /** Of announcements alone, which is what other replicas depend on. */
  readonly announceFaults: Faults;
  /** Whether a change that cannot be announced is recorded with the authority. */
  readonly outbox: boolean;
}

const OUT_OF_REACH: Faults = { refused: 1, replyLost: 0, stalled: 0 };
const BREAKER = { failureRatio: 0.5, minCalls: 3, windowMs: 2_000, probeDelayMs: 100 };

const SILENT: CacheObserver = { tierFailed() {}, breakerChanged() {}, outboxWaiting() {}, fillDropped() {} };
const TIMEOUT_MS = 200;

/** A process with a chain of its own, which can be killed: nothing that it had begun goes on in it. */
export class Replica {
  readonly chain: Chain<number, Change>;
  /** Since when it can reach the shared tier without a break. */
  reachesSharedSinceMs: number;
  readonly #clock: Clock;
  readonly #sharedTier: Tier;
  #alive = true;
  #isCutOff = false;

  constructor(world: World, options: ReplicaOptions) {
    const { network, authority, shared } = world;
    this.#clock = world.clock;
    this.reachesSharedSinceMs = world.clock.now();
    const isAlive = () => this.#alive;
    const clock: Clock = {
      now: () => world.clock.now(),
      setTimer: (callback, delayMs) => world.clock.setTimer(() => isAlive() && callback(), delayMs),
    };
    const ask = <T>(apply: () => T) => network.call(apply, options.authorityFaults, isAlive);
    const tell = <T>(apply: () => T, faults = options.sharedFaults) =>
      network.call(apply, this.#isCutOff ? OUT_OF_REACH : faults, isAlive);
    const tier = (name: string, faults: Faults) => {
      // A store that never stalls always answers in time.
      const timeoutMs = faults.stalled === 0 ? 2 * MAX_DELAY_MS : TIMEOUT_MS;
      const breaker = { ...BREAKER, random: world.random };
      return new Tier({ name, readTimeoutMs: timeoutMs, writeTimeoutMs: timeoutMs, breaker }, clock, SILENT);
    };
    this.#sharedTier = tier("shared", options.sharedFaults);
    const outbox: Outbox<number, Change> = {
      write: (key, change) =>
        ask(() => {
          const entry = authority.write(key, change);
          authority.record(key, entry.version);
          return entry;
        }),
      remove: (key) =>
        ask(() => {
          const version = authority.remove(key);
          authority.record(key, version);
          return version;
        }),
      pending: (limit) => ask(() => authority.pending(limit)),
      clear: (records) => ask(() => authority.clear(records)),
    };
    // Room for two entries, so that eviction takes part.
    const memory = new LruMemory({ maxBytes: 800, maxEntryBytes: 400 }, clock);
    this.chain = new Chain<number, Change>({
      local: options.local ? memory.store(() => 8) : undefined,
      shared: options.shared
        ? {
          tier: this.#sharedTier,
          ...(options.outbox && { outbox }),
          store: {
            read: (key) => tell(() => shared.read(key)),
            announce: (key, intent) => tell(() => shared.announce(key, intent), options.announceFaults),
            publish: (key, intent, entry) => tell(() => shared.publish(key, intent, entry)),
            bury: (key, intent, version) => tell(() => shared.bury(key, intent, version)),
            fill: (key, entry) => tell(() => shared.fill(key, entry)),
          },
        }
        : undefined,
      authority: {
        tier: tier("authority", options.authorityFaults),
        store: {
          read: (key) => ask(() => authority.read(key)),
          write: (key, change) => ask(() => authority.write(key, change)),
          remove: (key) => ask(() => authority.remove(key)),
          ping: () => ask(() => undefined),
        },
      },
      clock,
      observer: SILENT,
      newIntent: world.newIntent,
      backfillQueueSize: 4,
    });
  }

  /** Cuts the way to the shared tier, or mends it; the process notices, as with a connection. */
  setCutOff(isCutOff: boolean): void {
    this.#isCutOff = isCutOff;
    this.reachesSharedSinceMs = isCutOff ? Infinity : this.#clock.now();
    this.#sharedTier.interrupted();
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
  }
}
