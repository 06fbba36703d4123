/** Random schedules of writers that may die and readers that fill late, against a model of the database. */
import { assert } from "@std/assert";
import type { CacheKey } from "../../src/core/key.ts";
import { secretCacheKey } from "../../src/core/key.ts";
import type { SharedCache } from "../../src/core/ports.ts";
import type { Secret } from "../../src/core/secret.ts";
import { compareVersions, endOf, type Version } from "../../src/core/version.ts";
import { seededRandom, withSeed } from "../support/seeded_random.ts";
import { secretEntry, version } from "./secret_entry.ts";

const SIGNAL = new AbortController().signal;

/** Keys do not touch each other, so their schedules run at once. */
const SCHEDULES = 100;
const STEPS = 60;
const MAX_AT_WORK = 4;

/** Registers the test. */
export function sharedCacheModel(
  name: string,
  open: () => Promise<AsyncDisposable & { readonly store: SharedCache<Secret> }>,
  register: (title: string, test: () => Promise<void>) => void,
): void {
  register(
    `${name}.read() finds the newest committed version, a tombstone or nothing, whoever dies`,
    () =>
      withSeed(async (seed) => {
        await using cache = await open();
        const schedules = Array.from({ length: SCHEDULES }, (_, index) => {
          return new Schedule(cache.store, secretCacheKey(`${index}`), seededRandom(seed + index)).run();
        });
        const served = await Promise.all(schedules);
        // Tombstones all the time would be right as well, and no cache.
        const entries = served.reduce((sum, each) => sum + each, 0);
        assert(entries > SCHEDULES, `only ${entries} reads of ${SCHEDULES * STEPS} found an entry`);
      }),
  );
}

/** A writer or reader in the middle of its work: takes its next step, and says whether there are more. */
type Worker = Iterator<Promise<void> | void, void, void>;

/** One key's schedule. */
class Schedule {
  readonly #store: SharedCache<Secret>;
  readonly #key: CacheKey;
  readonly #random: () => number;
  readonly #log: string[] = [];
  /** The database: the row, if there is one, and the AUTO_INCREMENT number of the last one. */
  #row: Version | undefined;
  #lastId = 0;

  constructor(store: SharedCache<Secret>, key: CacheKey, random: () => number) {
    this.#store = store;
    this.#key = key;
    this.#random = random;
  }

  /** Resolves to how often an entry was served. */
  async run(): Promise<number> {
    const workers: Worker[] = [];
    let served = 0;
    for (let step = 0; step < STEPS; step++) {
      if (workers.length === 0 || (workers.length < MAX_AT_WORK && this.#random() < 0.3)) {
        workers.push(this.#newWorker(`${step}`));
      }
      const at = Math.floor(this.#random() * workers.length);
      const { done, value } = workers[at]!.next();
      await value;
      if (done || this.#random() < 0.05) workers.splice(at, 1);
      if (await this.#check()) served++;
    }
    return served;
  }

  /** Whether an entry is served; throws if it is not the row's. */
  async #check(): Promise<boolean> {
    const found = await this.#store.read(this.#key, SIGNAL);
    if (typeof found !== "object") return false;
    const isNewest = this.#row !== undefined && compareVersions(found.version, this.#row) === 0;
    assert(isNewest, `${text(found.version)} is served for ${text(this.#row)} after ${this.#log.join(", ")}`);
    return true;
  }

  #newWorker(name: string): Worker {
    const kind = this.#random();
    if (kind < 0.35) return this.#write(name);
    return kind < 0.55 ? this.#delete(name) : this.#read(name);
  }

  *#write(name: string): Generator<Promise<void> | void, void, void> {
    const intent = crypto.randomUUID();
    yield this.#do(`${name} announces`, () => this.#store.announce(this.#key, intent, SIGNAL));
    const row = this.#row === undefined
      ? version(++this.#lastId, 1)
      : version(this.#row.id, this.#row.revision + 1);
    this.#row = row;
    yield this.#do(`${name} commits ${text(row)}`);
    yield this.#do(`${name} publishes`, () => {
      return this.#store.publish(this.#key, intent, secretEntry(this.#key, row), SIGNAL);
    });
  }

  *#delete(name: string): Generator<Promise<void> | void, void, void> {
    const intent = crypto.randomUUID();
    yield this.#do(`${name} announces`, () => this.#store.announce(this.#key, intent, SIGNAL));
    const end = this.#row && endOf(this.#row.id);
    this.#row = undefined;
    yield this.#do(`${name} deletes`);
    yield this.#do(`${name} buries ${text(end)}`, () => this.#store.bury(this.#key, intent, end, SIGNAL));
  }

  /** A reader that missed; it fills, however late. */
  *#read(name: string): Generator<Promise<void> | void, void, void> {
    let sawTombstone = false;
    yield this.#do(`${name} looks`, async () => {
      sawTombstone = await this.#store.read(this.#key, SIGNAL) === "tombstone";
    });
    const row = this.#row;
    yield this.#do(`${name} reads ${text(row)}`);
    if (row === undefined || sawTombstone) return;
    yield this.#do(`${name} fills ${text(row)}`, () => {
      return this.#store.fill(this.#key, secretEntry(this.#key, row), SIGNAL);
    });
  }

  #do(what: string, work: () => Promise<void> | void = () => {}): Promise<void> | void {
    this.#log.push(what);
    return work();
  }
}

function text(version: Version | undefined): string {
  return version === undefined ? "no row" : `${version.id}.${version.revision}`;
}
