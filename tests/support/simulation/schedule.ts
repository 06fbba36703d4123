import { isExpired } from "../../../src/core/entry.ts";
import { ServiceError } from "../../../src/core/errors.ts";
import { type CacheKey, cacheKey } from "../../../src/core/key.ts";
import { FakeClock } from "../fake_clock.ts";
import { seededRandom } from "../seeded_random.ts";
import { SimulatedBroadcast } from "./broadcast.ts";
import { SimulatedNetwork } from "./network.ts";
import { Replica, type ReplicaOptions, type World } from "./replica.ts";
import { type Committed, SimulatedAuthority, SimulatedSharedCache } from "./stores.ts";

/** What a schedule may do beside reads, writes and deletes. */
export interface ScheduleOptions extends ReplicaOptions {
  readonly replicas: number;
  /** How likely each step kills a replica and starts another in its place. */
  readonly kill: number;
  /** How likely each step empties the shared tier. */
  readonly flush: number;
  /** How likely each step cuts the way from one replica to the shared tier, or mends it. */
  readonly cut: number;
  /** How likely each step cuts the line on which a replica hears of changes, or mends it. */
  readonly disconnect: number;
}

const KEYS: readonly CacheKey[] = ["a", "b", "c"].map((key) => cacheKey("simulation", key));
const STEPS = 120;
const LONGEST_PAUSE_MS = 400;

/**
 * Runs one random schedule and returns what was wrong with it, a sentence each; nothing is wrong with a right
 * chain. A read is wrong if it returns something older than what a client knew before the read began, from an
 * acknowledged change or from another read; or a state that never was; or a value that had expired. Of what
 * only clients of other replicas knew, a read may be as ignorant as the oldest one in flight that it can join;
 * with a local memory that several replicas have, as the last time that its replica was told that the key changed.
 *
 * While the outbox holds a record of the key, the shared tier may not know of the change yet, and then a read must
 * know what its own replica has changed, and what was known before that replica last came to reach the shared tier.
 */
export async function runSchedule(seed: number, options: ScheduleOptions): Promise<string[]> {
  const schedule = new Schedule(seed, options);
  for (let step = 0; step < STEPS; step++) await schedule.step();
  await schedule.finish();
  return schedule.wrong;
}

/** What clients of a replica came to know of a key. */
interface Known {
  readonly replica: Replica;
  /** Of the state. */
  readonly index: number;
  readonly from: "change" | "read";
  readonly atMs: number;
}

/** An operation that a client waits for. */
interface Running {
  readonly replica: Replica;
  /** Of a read: its key, and the index of the oldest state that it may return. */
  readonly read?: { readonly key: CacheKey; readonly floor: number };
}

class Schedule {
  readonly wrong: string[] = [];
  readonly #options: ScheduleOptions;
  readonly #random: () => number;
  readonly #clock = new FakeClock();
  readonly #world: World;
  readonly #replicas: Replica[];
  readonly #running = new Set<Running>();
  readonly #known = new Map<CacheKey, Known[]>(KEYS.map((key) => [key, []]));
  /** What a replica could be sure of about a key when it was last told that it has changed. */
  readonly #told = new Map<Replica, Map<CacheKey, number>>();
  #lastValue = 0;
  #lastIntent = 0;

  constructor(seed: number, options: ScheduleOptions) {
    this.#options = options;
    this.#random = seededRandom(seed);
    const network = new SimulatedNetwork(this.#clock, this.#random);
    this.#world = {
      clock: this.#clock,
      network,
      broadcast: new SimulatedBroadcast(this.#clock, network),
      authority: new SimulatedAuthority(),
      shared: new SimulatedSharedCache(this.#clock),
      newIntent: () => `intent ${++this.#lastIntent}`,
      random: this.#random,
    };
    this.#replicas = Array.from({ length: options.replicas }, () => this.#start());
  }

  async step(): Promise<void> {
    const { kill, flush, cut, disconnect } = this.#options;
    const dice = this.#random();
    if (dice < kill) this.#restartOne();
    else if (dice < kill + flush) this.#flush();
    else if (dice < kill + flush + cut) this.#cutOrMendOne();
    else if (dice < kill + flush + cut + disconnect) this.#switchLine();
    else if (dice < 0.55) await this.#deliver();
    else if (dice < 0.62) this.#pass(1 + this.#pick(LONGEST_PAUSE_MS));
    else this.#begin();
    await settle();
  }

  /** Lets everything end that was begun, and reads each key once more on each replica. */
  async finish(): Promise<void> {
    for (const replica of this.#replicas) if (replica.isCutOff) replica.setCutOff(false);
    await this.#quiesce();
    for (const replica of this.#replicas) for (const key of KEYS) this.#read(replica, key);
    await this.#quiesce();
    if (this.#waiting() > 0) this.wrong.push(`${this.#waiting()} operations never ended`);
    for (let round = 0; round < 500 && this.#unsaid() > 0; round++) {
      this.#pass(1 + this.#pick(LONGEST_PAUSE_MS));
      await settle();
      await this.#quiesce();
    }
    if (this.#unsaid() > 0) this.wrong.push(`${this.#unsaid()} changes were never told to the shared tier`);
  }

  #unsaid(): number {
    return this.#world.authority.pending(Infinity).length;
  }

  async #quiesce(): Promise<void> {
    for (let round = 0; round < 2000 && this.#waiting() + this.#world.network.packetCount > 0; round++) {
      if (this.#world.network.packetCount > 0) this.#world.network.deliverAny();
      else this.#pass(LONGEST_PAUSE_MS);
      await settle();
    }
  }

  #waiting(): number {
    return [...this.#running].filter(({ replica }) => replica.isAlive).length;
  }

  #pass(ms: number): void {
    this.#world.broadcast.confirm();
    this.#world.network.deliverOverdue(ms);
    this.#clock.advance(ms);
  }

  #restartOne(): void {
    const index = this.#pick(this.#replicas.length);
    this.#replicas[index]!.kill();
    this.#replicas[index] = this.#start();
  }

  #start(): Replica {
    const replica = new Replica(this.#world, this.#options, (key) => {
      const told = this.#told.get(replica) ?? new Map<CacheKey, number>();
      this.#told.set(replica, told);
      for (const each of key === undefined ? KEYS : [key]) told.set(each, this.#sureOf(each));
    });
    return replica;
  }

  /** Each replica that is told of changes adds a packet to every change: as many more must arrive. */
  async #deliver(): Promise<void> {
    for (let packets = this.#options.local ? this.#options.replicas : 1; packets > 0; packets--) {
      this.#world.network.deliverAny();
      await settle();
    }
  }

  /**
   * Not while a read is under way that may fill: what it found before the loss would land after it over nothing,
   * not even a tombstone, and no version refuses it.
   */
  #flush(): void {
    if ([...this.#running].some(({ read }) => read) || this.#replicas.some((each) => each.isFilling)) return;
    this.#world.shared.flush();
    this.#world.broadcast.flushed();
  }

  #switchLine(): void {
    const replica = this.#replicas[this.#pick(this.#replicas.length)]!;
    const { broadcast } = this.#world;
    if (broadcast.isConnected(replica)) broadcast.disconnect(replica);
    else broadcast.reconnect(replica);
  }

  #cutOrMendOne(): void {
    const replica = this.#replicas[this.#pick(this.#replicas.length)]!;
    replica.setCutOff(!replica.isCutOff);
  }

  #begin(): void {
    const replica = this.#replicas[this.#pick(this.#replicas.length)]!;
    const key = KEYS[this.#pick(KEYS.length)]!;
    const dice = this.#random();
    if (dice < 0.55) this.#read(replica, key);
    else if (dice < 0.85) this.#write(replica, key);
    else this.#delete(replica, key);
  }

  #write(replica: Replica, key: CacheKey): void {
    const value = ++this.#lastValue;
    const ttlMs = this.#random() < 0.5 ? Infinity : 1 + this.#pick(1000);
    const work = replica.set(key, { value, expiresAtMs: this.#clock.now() + ttlMs });
    this.#track({ replica }, work, () => {
      this.#learn(
        replica,
        key,
        this.#world.authority.history(key).findIndex((state) => state.value === value),
        "change",
      );
    });
  }

  #delete(replica: Replica, key: CacheKey): void {
    const states = this.#world.authority.history(key);
    const before = states.length;
    this.#track({ replica }, replica.delete(key), () => {
      // Its own commit is this one or a later one: the bound is the weaker one, and still a bound.
      this.#learn(
        replica,
        key,
        states.findIndex((state, index) => index >= before && state.value === undefined),
        "change",
      );
    });
  }

  #learn(replica: Replica, key: CacheKey, index: number, from: Known["from"]): void {
    if (index < 0) this.wrong.push(`a change of ${key} was acknowledged that never reached the authority`);
    this.#known.get(key)!.push({ replica, index, from, atMs: this.#clock.now() });
  }

  /** The index of the oldest state that a read which begins now may return. */
  #floor(replica: Replica, key: CacheKey): number {
    const isTold = !this.#world.authority.pending(Infinity).some((record) => record.key === key);
    const binding = this.#known.get(key)!.filter((known) =>
      isTold || known.atMs < replica.reachesSharedSinceMs ||
      (known.replica === replica && known.from === "change")
    );
    const here = newest(binding.filter((known) => known.replica === replica));
    const { local, replicas } = this.#options;
    if (local && replicas > 1 && this.#world.broadcast.isConnected(replica)) {
      return Math.max(here, this.#told.get(replica)?.get(key) ?? 0);
    }
    const joinable = [...this.#running].flatMap(({ replica: at, read }) =>
      at === replica && read?.key === key ? [read.floor] : []
    );
    return Math.max(here, Math.min(newest(binding), ...joinable));
  }

  /** What a read that begins now below local memory returns at least: with one tier there, what that holds. */
  #sureOf(key: CacheKey): number {
    return this.#options.shared ? this.#knownAnywhere(key) : this.#world.authority.history(key).length - 1;
  }

  #knownAnywhere(key: CacheKey): number {
    return newest(this.#known.get(key)!);
  }

  #read(replica: Replica, key: CacheKey): void {
    const floor = this.#floor(replica, key);
    const found = Promise.resolve(replica.get(key));
    this.#track({ replica, read: { key, floor } }, found, (entry) => {
      const nowMs = this.#clock.now();
      const value = entry === undefined || isExpired(entry, nowMs) ? undefined : entry.value;
      const states = this.#world.authority.history(key);
      const index = states.findIndex((state, index) =>
        index >= floor &&
        (value === undefined
          ? state.value === undefined || isExpired(state, nowMs)
          : state.value === value && state.expiresAtMs === entry?.expiresAtMs)
      );
      if (index >= 0) this.#learn(replica, key, index, "read");
      else this.wrong.push(`${key} was read as ${value}, after it had become ${text(states.slice(floor))}`);
    });
  }

  #track<T>(running: Running, work: Promise<T>, done: (result: T) => void): void {
    this.#running.add(running);
    work.then((result) => {
      this.#running.delete(running);
      done(result);
    }, (error) => {
      this.#running.delete(running);
      if (!(error instanceof ServiceError) || error.code !== "store_unavailable") {
        this.wrong.push(String(error));
      }
    });
  }

  #pick(count: number): number {
    return Math.floor(this.#random() * count);
  }
}

/** The index of the newest state that is known of. */
function newest(known: readonly Known[]): number {
  return Math.max(0, ...known.map(({ index }) => index));
}

function text(states: readonly Committed[]): string {
  return states.map(({ value, expiresAtMs }) =>
    value === undefined ? "absent" : `${value} until ${expiresAtMs}`
  )
    .join(", then ");
}

/** Lets every promise settle that can without a packet or the clock. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await Promise.resolve();
}
