import { isExpired } from "../../../src/core/entry.ts";
import { ServiceError } from "../../../src/core/errors.ts";
import { type CacheKey, cacheKey } from "../../../src/core/key.ts";
import { LeavingCaller } from "../cache/caller.ts";
import { FakeClock } from "../fake_clock.ts";
import { seededRandom } from "../seeded_random.ts";
import { SimulatedBroadcast } from "./broadcast.ts";
import { SimulatedNetwork } from "./network.ts";
import { Replica, type World } from "./replica.ts";
import { type Committed, SimulatedAuthority } from "./authority.ts";
import type { ScheduleOptions } from "./schedule_options.ts";
import { StallingCommits } from "./stalling_commits.ts";
import { SimulatedSharedCache } from "./shared_cache.ts";

const KEYS: readonly CacheKey[] = ["a", "b", "c"].map((key) => cacheKey("simulation", key));
/** How often a replica reads the outbox. */
const OUTBOX_LOOK_MS = 1000;
/** The longest time that passes at once. */
const LONGEST_STEP_MS = 400;
/** How likely each step lets time pass. */
const PAUSE = 0.07;
/** How long what has taken effect late may take to be known to every replica, once all packets have arrived. */
const SEEN_WITHIN_MS = 2_000;

/**
 * Runs one random schedule and returns what was wrong with it, a sentence each; nothing is wrong with a right
 * chain. A read is wrong if it returns something older than what a client knew before the read began, from an
 * acknowledged change or from another read; or a state that never was; or a value that had expired. Of what
 * only clients of other replicas knew, a read may know as little as the oldest one in flight that it can join; with
 * local memory on several replicas, as little as its replica knew at its last invalidation of the key.
 *
 * Where the shared tier may lose something, only acknowledged changes count: it may have lost the announcement of
 * one under way, and then a read that asks the authority is ahead of a fill by one that asked before.
 *
 * A replica that uses a master of before need not know, beyond what it has changed itself, what became known since
 * there is a newer one.
 *
 * While the outbox holds a record of the key, the shared tier may not know of the change yet, and then a read must
 * know what its own replica has changed, and what was known before that replica last came to reach the shared tier.
 */
export async function runSchedule(seed: number, options: ScheduleOptions): Promise<string[]> {
  const schedule = new Schedule(seed, options);
  for (let step = 0; step < options.steps; step++) await schedule.step();
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
  /** Of a change: the client, which may leave, and the value that no read may return if there was no effect. */
  readonly change?: { readonly caller: LeavingCaller; readonly value: number | undefined };
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
  /** What a replica knew of a key for certain at its last invalidation. */
  readonly #invalidated = new Map<Replica, Map<CacheKey, number>>();
  /** Values of writes that failed with `hadNoEffect`. */
  readonly #without = new Set<number>();
  /** The index of the last state of a key that a commit made which had stalled. */
  readonly #late = new Map<CacheKey, number>();
  #lastValue = 0;
  #lastIntent = 0;

  constructor(seed: number, options: ScheduleOptions) {
    this.#options = options;
    this.#random = seededRandom(seed);
    let epochs = 0;
    const network = new SimulatedNetwork(this.#clock, this.#random, options.slow);
    this.#world = {
      clock: this.#clock,
      network,
      broadcast: new SimulatedBroadcast(this.#clock, network),
      authority: new SimulatedAuthority(),
      shared: new SimulatedSharedCache(this.#clock, () => ++epochs, options),
      commits: new StallingCommits(this.#clock, this.#random),
      onLate: (key) => this.#late.set(key, this.#world.authority.history(key).length - 1),
      newIntent: () => `intent ${++this.#lastIntent}`,
      random: this.#random,
    };
    this.#replicas = Array.from({ length: options.replicas }, () => this.#start());
  }

  async step(): Promise<void> {
    const { kill, flush, evict, restart, failover, cut, disconnect, leave, load } = this.#options;
    const dice = this.#random();
    let bound = 0;
    const isBelow = (probability: number) => dice < (bound += probability);
    if (isBelow(kill)) this.#restartOne();
    else if (isBelow(flush)) this.#flush();
    else if (isBelow(evict)) this.#evict();
    else if (isBelow(restart)) this.#saveOrRestart();
    else if (isBelow(failover)) this.#promoteOrFollow();
    else if (isBelow(cut)) this.#cutOrMendOne();
    else if (isBelow(disconnect)) this.#switchLine();
    else if (isBelow(leave)) this.#leaveOne();
    else if (dice >= 1 - load) this.#begin();
    else if (dice >= 1 - load - PAUSE) await this.#pass(1 + this.#pick(this.#options.longestPauseMs));
    else await this.#deliver();
    await settle();
  }

  /** Lets everything end that was begun, and reads each key once more on each replica. */
  async finish(): Promise<void> {
    for (const replica of this.#replicas) if (replica.isCutOff) replica.setCutOff(false);
    for (const replica of this.#superseded()) this.#follow(replica);
    await this.#quiesce();
    await this.#awaitLateCommits();
    for (const replica of this.#replicas) for (const key of KEYS) this.#read(replica, key);
    await this.#quiesce();
    if (this.#waiting() > 0) this.wrong.push(`${this.#waiting()} operations never ended`);
    for (let round = 0; round < 500 && this.#unannounced() > 0; round++) {
      await this.#pass(1 + this.#pick(this.#options.longestPauseMs));
      await settle();
      await this.#quiesce();
    }
    if (this.#unannounced() > 0) {
      this.wrong.push(`${this.#unannounced()} changes never reached the shared tier`);
    }
    for (const { value } of KEYS.flatMap((key) => this.#world.authority.history(key))) {
      if (value !== undefined && this.#without.has(value)) {
        this.wrong.push(`${value} was written, after an error that it would not be`);
      }
    }
  }

  #unannounced(): number {
    return this.#world.authority.pending(Infinity).length;
  }

  async #quiesce(): Promise<void> {
    for (let round = 0; round < 2000 && this.#waiting() + this.#world.network.packetCount > 0; round++) {
      if (this.#world.network.packetCount > 0) this.#world.network.deliverAny();
      else await this.#pass(this.#options.longestPauseMs);
      await settle();
    }
  }

  /** What commits made that had stalled is known to no client; from here on every read has to know it. */
  async #awaitLateCommits(): Promise<void> {
    while (this.#world.commits.waiting > 0) {
      await this.#pass(this.#options.longestPauseMs);
      await settle();
      await this.#quiesce();
    }
    for (let passedMs = 0; passedMs < SEEN_WITHIN_MS; passedMs += 100) {
      await this.#pass(100);
      await settle();
      await this.#quiesce();
    }
    for (const [key, index] of this.#late) {
      for (const replica of this.#replicas) this.#learn(replica, key, index, "change");
    }
  }

  #waiting(): number {
    return [...this.#running].filter(({ replica }) => replica.isAlive).length;
  }

  /** Lets time pass. Of a long time each step: what falls due in one may send what is delivered in the next. */
  async #pass(ms: number): Promise<void> {
    for (let leftMs = ms; leftMs > 0; leftMs -= LONGEST_STEP_MS) {
      const stepMs = Math.min(leftMs, LONGEST_STEP_MS);
      this.#world.broadcast.confirm();
      this.#world.network.deliverOverdue(stepMs);
      this.#clock.advance(stepMs);
      if (leftMs > stepMs) await settle();
    }
  }

  #restartOne(): void {
    const index = this.#pick(this.#replicas.length);
    this.#replicas[index]!.kill();
    this.#replicas[index] = this.#start();
  }

  #start(): Replica {
    const replica = new Replica(this.#world, this.#options, (key) => {
      const known = this.#invalidated.get(replica) ?? new Map<CacheKey, number>();
      this.#invalidated.set(replica, known);
      for (const each of key === undefined ? KEYS : [key]) known.set(each, this.#sureOf(replica, each));
    });
    return replica;
  }

  /** Each subscribed replica adds a packet to every change: as many more must arrive. */
  async #deliver(): Promise<void> {
    for (let packets = this.#options.local ? this.#options.replicas : 1; packets > 0; packets--) {
      this.#world.network.deliverAny();
      await settle();
    }
  }

  #flush(): void {
    this.#world.shared.flush();
    this.#world.broadcast.flushed();
  }

  #evict(): void {
    const key = KEYS[this.#pick(this.#options.keys)]!;
    this.#world.shared.evict(key, this.#random() < 0.7 ? "value" : "lease");
    this.#world.broadcast.changed(key);
  }

  #saveOrRestart(): void {
    const { shared, broadcast } = this.#world;
    if (this.#random() < 0.6) return shared.save();
    shared.restart();
    for (const replica of this.#replicas) {
      replica.reconnect();
      broadcast.disconnect(replica);
      broadcast.reconnect(replica);
    }
  }

  /** Replicas notice a failover one by one; until the last one has, two masters take changes. */
  #promoteOrFollow(): void {
    const superseded = this.#superseded();
    if (superseded.length > 0) return this.#follow(superseded[this.#pick(superseded.length)]!);
    // A master whose epoch no replica has entered could end the epoch of its successor.
    const { authority, shared } = this.#world;
    if (this.#options.epochs && !authority.knows(String(shared.serverEpoch))) return;
    this.#world.shared = shared.promoted(this.#random() < 0.5 ? "all" : "saved");
    for (const replica of this.#replicas) replica.supersede();
  }

  #superseded(): Replica[] {
    return this.#replicas.filter(({ supersededSinceMs }) => supersededSinceMs < Infinity);
  }

  #follow(replica: Replica): void {
    replica.follow();
    this.#world.broadcast.disconnect(replica);
    this.#world.broadcast.reconnect(replica);
  }

  #switchLine(): void {
    const replica = this.#replicas[this.#pick(this.#replicas.length)]!;
    const { broadcast } = this.#world;
    if (broadcast.isConnected(replica)) broadcast.disconnect(replica);
    else broadcast.reconnect(replica);
  }

  #leaveOne(): void {
    const callers = [...this.#running].flatMap(({ change }) =>
      change?.caller.cancelled === false ? [change.caller] : []
    );
    if (callers.length > 0) callers[this.#pick(callers.length)]!.leave();
  }

  #cutOrMendOne(): void {
    const replica = this.#replicas[this.#pick(this.#replicas.length)]!;
    replica.setCutOff(!replica.isCutOff);
  }

  #begin(): void {
    const replica = this.#replicas[this.#pick(this.#replicas.length)]!;
    const key = KEYS[this.#pick(this.#options.keys)]!;
    const dice = this.#random();
    if (dice < 0.55) this.#read(replica, key);
    else if (dice < 0.85) this.#write(replica, key);
    else this.#delete(replica, key);
  }

  #write(replica: Replica, key: CacheKey): void {
    const value = ++this.#lastValue;
    const ttlMs = this.#random() < 0.5 ? Infinity : 1 + this.#pick(1000);
    const states = this.#world.authority.history(key);
    const before = states.length;
    const caller = new LeavingCaller();
    const work = replica.set(key, caller, { value, expiresAtMs: this.#clock.now() + ttlMs });
    this.#track({ replica, change: { caller, value } }, work, () => {
      const own = states.findIndex((state) => state.value === value);
      // It may have been covered by a change that was made in its stead, which is acknowledged in the same turn.
      this.#learn(replica, key, own < 0 && before < states.length ? before : own, "change");
    });
  }

  #delete(replica: Replica, key: CacheKey): void {
    const states = this.#world.authority.history(key);
    const before = states.length;
    const caller = new LeavingCaller();
    this.#track({ replica, change: { caller, value: undefined } }, replica.delete(key, caller), () => {
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
    const binding = this.#binding(replica, key);
    const here = newest(binding.filter((known) => known.replica === replica));
    const { local, replicas } = this.#options;
    if (local && replicas > 1 && this.#world.broadcast.isConnected(replica)) {
      return Math.max(here, this.#invalidated.get(replica)?.get(key) ?? 0);
    }
    const joinable = [...this.#running].flatMap(({ replica: at, read }) =>
      at === replica && read?.key === key ? [read.floor] : []
    );
    return Math.max(here, Math.min(newest(binding), ...joinable));
  }

  /** What a read that begins now below local memory returns at least: with one tier there, what that holds. */
  #sureOf(replica: Replica, key: CacheKey): number {
    if (!this.#options.shared) return this.#world.authority.history(key).length - 1;
    return newest(this.#binding(replica, key));
  }

  /** The oldest state that a read of this replica may return, from all that is known of the key. */
  #binding(replica: Replica, key: CacheKey): Known[] {
    const { flush, evict, restart, failover } = this.#options;
    const mayLose = flush + evict + restart + failover > 0;
    const isTold = !this.#world.authority.pending(Infinity).some((record) => record.key === key);
    return this.#known.get(key)!.filter((known) => {
      if (mayLose && known.from === "read") return false;
      const isReached = isTold || known.atMs < replica.reachesSharedSinceMs;
      // Shortly before, it may have been recorded, and the record worked off in the newer master's epoch.
      if (isReached && known.atMs < replica.supersededSinceMs - OUTBOX_LOOK_MS) return true;
      return known.replica === replica && known.from === "change";
    });
  }

  #read(replica: Replica, key: CacheKey): void {
    const floor = this.#floor(replica, key);
    const found = Promise.resolve(replica.get(key));
    this.#track({ replica, read: { key, floor } }, found, (entry) => {
      const value = entry === undefined || isExpired(entry, this.#clock) ? undefined : entry.value;
      const states = this.#world.authority.history(key);
      const index = states.findIndex((state, index) =>
        index >= floor &&
        (value === undefined
          ? state.value === undefined || isExpired(state, this.#clock)
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
      const { change } = running;
      const isExpected = error instanceof ServiceError &&
        (error.code === "store_unavailable" || error.code === "cancelled" && change?.caller.cancelled);
      if (!isExpected) this.wrong.push(String(error));
      else if (error.hadNoEffect && change?.value !== undefined) this.#without.add(change.value);
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
