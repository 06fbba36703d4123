import type { Entry } from "../../../src/core/entry.ts";
import type { CacheKey } from "../../../src/core/key.ts";
import { ANY_EPOCH, type Epoch, type OutboxRecord } from "../../../src/core/ports.ts";
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
  /** Every epoch of the shared tier that was ever in force; the last one is now. */
  readonly #epochs: Epoch[] = [];
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

  /** Whether the epoch is in force; a new one comes into force now. */
  enter(epoch: Epoch, isThere: boolean): boolean {
    if (isThere && !this.#epochs.includes(epoch)) this.#epochs.push(epoch);
    return this.isInForce(epoch);
  }

  /** Whether the epoch was ever in force. */
  knows(epoch: Epoch): boolean {
    return this.#epochs.includes(epoch);
  }

  isInForce(epoch: Epoch): boolean {
    return epoch === ANY_EPOCH || this.#epochs.at(-1) === epoch;
  }

  clear(records: readonly OutboxRecord[], epoch: Epoch): void {
    if (!this.isInForce(epoch)) return;
    for (const { id } of records) this.#outbox.delete(id);
  }

  #commit(key: CacheKey, state: Committed): void {
    this.history(key);
    this.#history.get(key)!.push(state);
  }
}
