import { Chain } from "../../../src/cache/chain.ts";
import type { CacheObserver } from "../../../src/cache/observer.ts";
import { Tier } from "../../../src/cache/tier.ts";
import type { Clock } from "../../../src/core/clock.ts";
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
}

/** The tiers that a replica has beside the authority, and what goes wrong on the way to them. */
export interface ReplicaOptions {
  readonly local: boolean;
  readonly shared: boolean;
  readonly authorityFaults: Faults;
  readonly sharedFaults: Faults;
  /** Of announcements alone, which is what other replicas depend on. */
  readonly announceFaults: Faults;
}

const SILENT: CacheObserver = { tierFailed() {}, breakerChanged() {}, fillDropped() {} };
const TIMEOUT_MS = 200;

/** A process with a chain of its own, which can be killed: nothing that it had begun goes on in it. */
export class Replica {
  readonly chain: Chain<number, Change>;
  #alive = true;

  constructor(world: World, options: ReplicaOptions) {
    const { network, authority, shared } = world;
    const isAlive = () => this.#alive;
    const clock: Clock = {
      now: () => world.clock.now(),
      setTimer: (callback, delayMs) => world.clock.setTimer(() => isAlive() && callback(), delayMs),
    };
    const ask = <T>(apply: () => T) => network.call(apply, options.authorityFaults, isAlive);
    const tell = <T>(apply: () => T, faults = options.sharedFaults) => network.call(apply, faults, isAlive);
    const tier = (name: string, faults: Faults) => {
      // A store that never stalls always answers in time.
      const timeoutMs = faults.stalled === 0 ? 2 * MAX_DELAY_MS : TIMEOUT_MS;
      return new Tier({ name, readTimeoutMs: timeoutMs, writeTimeoutMs: timeoutMs }, clock, SILENT);
    };
    // Room for two entries, so that eviction takes part.
    const memory = new LruMemory({ maxBytes: 800, maxEntryBytes: 400 }, clock);
    this.chain = new Chain<number, Change>({
      local: options.local ? memory.store(() => 8) : undefined,
      shared: options.shared
        ? {
          tier: tier("shared", options.sharedFaults),
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

  get isAlive(): boolean {
    return this.#alive;
  }

  /** Ends the process: requests that are on their way may still arrive, answers reach nobody. */
  kill(): void {
    this.#alive = false;
  }
}
