import type { Clock } from "../../../src/core/clock.ts";
import { type Entry, isExpired } from "../../../src/core/entry.ts";
import type { CacheKey } from "../../../src/core/key.ts";
import type { OutboxRecord, SharedRead } from "../../../src/core/ports.ts";
import { compareVersions, endOf, type Version } from "../../../src/core/version.ts";

/** What the simulated clients write: a number that no other write has, and when it expires. */
export interface Change {
  readonly value: number;
  readonly expiresAtMs: number;
}

/** What a key was from one commit on until the next. */
export interface Committed {
  /** Undefined after a delete. */
  readonly value: number | undefined;
  readonly expiresAtMs: number;
}

/** The truth, with all that it ever was: the state after the nth commit of a key is at index n, absent at 0. */
export class SimulatedAuthority {
  readonly #history = new Map<CacheKey, Committed[]>();
  readonly #rows = new Map<CacheKey, Entry<number>>();
  readonly #outbox = new Map<number, OutboxRecord>();
  #lastId = 0;
  #lastRecord = 0;

  /** All states of the key in order. */
  history(key: CacheKey): readonly Committed[] {
    let states = this.#history.get(key);
    if (states === undefined) {
      states = [{ value: undefined, expiresAtMs: Infinity }];
      this.#history.set(key, states);
    }
    return states;
  }

  read(key: CacheKey): Entry<number> | undefined {
    return this.#rows.get(key);
  }

  write(key: CacheKey, change: Change): Entry<number> {
    const before = this.#rows.get(key)?.version;
    const version = before === undefined
      ? { id: ++this.#lastId, revision: 1 }
      : { id: before.id, revision: before.revision + 1 };
    const entry = { ...change, version };
    this.#rows.set(key, entry);
    this.#commit(key, change);
    return entry;
  }

  remove(key: CacheKey): Version | undefined {
    const before = this.#rows.get(key)?.version;
    this.#rows.delete(key);
    this.#commit(key, { value: undefined, expiresAtMs: Infinity });
    if (before !== undefined) return endOf(before.id);
    const recorded = [...this.#outbox.values()].filter((record) => record.key === key);
    return recorded.map(({ version }) => version).sort(compareVersions).at(-1);
  }

  /** Records a change in the same step. */
  record(key: CacheKey, version: Version | undefined): void {
    const id = ++this.#lastRecord;
    this.#outbox.set(id, { id, key, version: version ?? { id: 0, revision: 0 } });
  }

  pending(limit: number): OutboxRecord[] {
    return [...this.#outbox.values()].slice(0, limit);
  }

  clear(records: readonly OutboxRecord[]): void {
    for (const { id } of records) this.#outbox.delete(id);
  }

  #commit(key: CacheKey, state: Committed): void {
    this.history(key);
    this.#history.get(key)!.push(state);
  }
}

interface Held {
  readonly entry: Entry<number> | undefined;
  readonly version: Version;
  readonly intents: ReadonlySet<string>;
  readonly goneAtMs: number;
}

const TOMBSTONE_TTL_MS = 60_000;

/** The rules of src/store/redis_secret_scripts.ts in memory. */
export class SimulatedSharedCache {
  readonly #clock: Clock;
  readonly #held = new Map<CacheKey, Held>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  read(key: CacheKey): SharedRead<number> {
    const held = this.#get(key);
    return held && (held.entry ?? "tombstone");
  }

  announce(key: CacheKey, intent: string): void {
    const held = this.#get(key);
    this.#bury(key, held?.version, [...held?.intents ?? [], intent]);
  }

  publish(key: CacheKey, intent: string, entry: Entry<number>): void {
    const held = this.#get(key);
    const alone = held !== undefined && held.intents.size === 1 && held.intents.has(intent);
    if (alone && compareVersions(entry.version, held.version) >= 0) this.#put(key, entry);
    else this.bury(key, intent, entry.version);
  }

  bury(key: CacheKey, intent: string, version: Version | undefined): void {
    const held = this.#get(key);
    const newest = [held?.version, version].filter((each) => each !== undefined).sort(compareVersions).at(-1);
    this.#bury(key, newest, [...held?.intents ?? []].filter((each) => each !== intent));
  }

  fill(key: CacheKey, entry: Entry<number>): void {
    const held = this.#get(key);
    if (
      held === undefined || (held.entry !== undefined && compareVersions(entry.version, held.version) > 0)
    ) {
      this.#put(key, entry);
    }
  }

  /** Forgets everything, as FLUSHALL does. */
  flush(): void {
    this.#held.clear();
  }

  #get(key: CacheKey): Held | undefined {
    const held = this.#held.get(key);
    return held !== undefined && held.goneAtMs > this.#clock.now() ? held : undefined;
  }

  #put(key: CacheKey, entry: Entry<number>): void {
    if (isExpired(entry, this.#clock.now())) this.#held.delete(key);
    else {this.#held.set(key, {
        entry,
        version: entry.version,
        intents: new Set(),
        goneAtMs: entry.expiresAtMs,
      });}
  }

  #bury(key: CacheKey, version: Version | undefined, intents: Iterable<string>): void {
    this.#held.set(key, {
      entry: undefined,
      version: version ?? { id: 0, revision: 0 },
      intents: new Set(intents),
      goneAtMs: this.#clock.now() + TOMBSTONE_TTL_MS,
    });
  }
}
