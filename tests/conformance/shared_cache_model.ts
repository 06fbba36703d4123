/** Random schedules of writers that may die and readers that fill late, against a model of the database. */
import { assert } from "@std/assert";
import { secretCacheKey } from "../../src/core/key.ts";
import { compareVersions, endOf, type Version } from "../../src/core/version.ts";
import { seededRandom, withSeed } from "../support/seeded_random.ts";
import type { FragileCache, OpenSharedCache } from "./fragile_cache.ts";
import { secretEntry, version } from "./secret_entry.ts";

const SIGNAL = new AbortController().signal;

/** Keys do not touch each other, so their schedules run at once. */
const SCHEDULES = 100;
const STEPS = 60;
const MAX_AT_WORK = 4;

/**
 * What happens besides reads and changes. Not both at once: if the cache loses an announcement and its writer dies, no
 * process knows of the change.
 */
type Fault = "writers die" | "the cache loses what it has";

const GUARANTEES: Readonly<Record<Fault, string>> = {
  "writers die": "finds the newest committed version, a tombstone or nothing, whichever writer dies",
  "the cache loses what it has":
    "finds nothing older than what a writer has ended, whatever is lost or comes back",
};

/** Registers the tests. */
export function sharedCacheModel(
  name: string,
  open: () => Promise<OpenSharedCache>,
  register: (title: string, test: () => Promise<void>) => void,
): void {
  for (const fault of ["writers die", "the cache loses what it has"] as const) {
    register(`${name}.read() ${GUARANTEES[fault]}`, () =>
      withSeed(async (seed) => {
        await using opened = await open();
        const schedules = Array.from({ length: SCHEDULES }, (_, index) => {
          return new Schedule(opened, `${index}`, { fault, random: seededRandom(seed + index) }).run();
        });
        const served = await Promise.all(schedules);
        // Tombstones all the time would be right as well, and no cache.
        const entries = served.reduce((sum, each) => sum + each, 0);
        assert(entries > SCHEDULES, `only ${entries} reads of ${SCHEDULES * STEPS} found an entry`);
      }));
  }
}

/** A writer or reader in the middle of its work: takes its next step, and returns whether there are more. */
type Worker = Iterator<Promise<void> | void, void, void>;

/** What a reader finds that looks: an entry's version, a tombstone, or a lease, if it got one. */
type Look = { readonly version: Version } | "tombstone" | { readonly lease: string | undefined };

/** One key's schedule. */
class Schedule {
  readonly #cache: FragileCache;
  readonly #key;
  readonly #random: () => number;
  readonly #fault: Fault;
  readonly #log: string[] = [];
  /** The database: the row, if there is one, and the AUTO_INCREMENT number of the last one. */
  #row: Version | undefined;
  #lastId = 0;
  /** What the newest change that has ended made, or outranks all that it removed. */
  #ended = version(0, 0);

  constructor(
    opened: OpenSharedCache,
    name: string,
    { fault, random }: { readonly fault: Fault; readonly random: () => number },
  ) {
    this.#key = secretCacheKey(name);
    this.#cache = opened.at(this.#key);
    this.#fault = fault;
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
      if (done || (this.#fault === "writers die" && this.#random() < 0.05)) workers.splice(at, 1);
      if (this.#fault === "the cache loses what it has") await this.#mayLose();
      if (await this.#check()) served++;
    }
    return served;
  }

  /** Whether an entry is served; throws if it should not be. */
  async #check(): Promise<boolean> {
    const found = await this.#look();
    if (found === "tombstone" || "lease" in found) return false;
    const isRight = this.#fault === "writers die"
      ? this.#row !== undefined && compareVersions(found.version, this.#row) === 0
      : compareVersions(found.version, this.#ended) >= 0;
    const expected = this.#fault === "writers die" ? text(this.#row) : `${text(this.#ended)} or newer`;
    assert(isRight, `${text(found.version)} is served for ${expected} after ${this.#log.join(", ")}`);
    return true;
  }

  async #mayLose(): Promise<void> {
    const dice = this.#random();
    if (dice < 0.03) await this.#do("the value is lost", () => this.#cache.lose("value"));
    else if (dice < 0.05) await this.#do("the lease is lost", () => this.#cache.lose("lease"));
    else if (dice < 0.08) await this.#do("all is lost", () => this.#cache.lose("value", "lease"));
    else if (dice < 0.14) await this.#do("a snapshot is taken", () => this.#cache.save());
    else if (dice < 0.18) await this.#do("the snapshot comes back", () => this.#cache.restart());
  }

  async #look(): Promise<Look> {
    return await this.#cache.store.read(this.#key, SIGNAL);
  }

  #newWorker(name: string): Worker {
    const kind = this.#random();
    if (kind < 0.35) return this.#write(name);
    if (kind < 0.55) return this.#delete(name);
    return kind < 0.7 ? this.#changeNothing(name) : this.#read(name);
  }

  *#write(name: string): Generator<Promise<void> | void, void, void> {
    const intent = crypto.randomUUID();
    yield this.#do(`${name} announces`, () => this.#cache.store.announce(this.#key, intent, SIGNAL));
    const row = this.#row === undefined
      ? version(++this.#lastId, 1)
      : version(this.#row.id, this.#row.revision + 1);
    this.#row = row;
    yield this.#do(`${name} commits ${text(row)}`);
    yield this.#do(`${name} publishes`, async () => {
      await this.#cache.store.publish(this.#key, intent, secretEntry(this.#key, row), SIGNAL);
      this.#end(row);
    });
  }

  *#delete(name: string): Generator<Promise<void> | void, void, void> {
    const intent = crypto.randomUUID();
    yield this.#do(`${name} announces`, () => this.#cache.store.announce(this.#key, intent, SIGNAL));
    const end = this.#row && endOf(this.#row.id);
    this.#row = undefined;
    yield this.#do(`${name} deletes`);
    yield this.#do(`${name} writes a tombstone of ${text(end)}`, async () => {
      await this.#cache.store.writeTombstone(this.#key, intent, end, SIGNAL);
      if (end !== undefined) this.#end(end);
    });
  }

  /** A writer whose row is locked: it announces, and takes that back. */
  *#changeNothing(name: string): Generator<Promise<void> | void, void, void> {
    const intent = crypto.randomUUID();
    yield this.#do(`${name} announces`, () => this.#cache.store.announce(this.#key, intent, SIGNAL));
    yield this.#do(`${name} is rolled back`);
    yield this.#do(`${name} takes its announcement back`, () => {
      return this.#cache.store.retract(this.#key, intent, SIGNAL);
    });
  }

  #end(version: Version): void {
    if (compareVersions(version, this.#ended) > 0) this.#ended = version;
  }

  /** A reader that looks, and fills if it may, however late. */
  *#read(name: string): Generator<Promise<void> | void, void, void> {
    let found: Look | undefined;
    yield this.#do(`${name} looks`, async () => {
      found = await this.#look();
    });
    const row = this.#row;
    yield this.#do(`${name} reads ${text(row)}`);
    const lease = typeof found === "object" && "lease" in found ? found.lease : undefined;
    if (row === undefined || lease === undefined) return;
    yield this.#do(`${name} fills ${text(row)}`, () => {
      return this.#cache.store.fill(this.#key, lease, secretEntry(this.#key, row), SIGNAL);
    });
  }

  async #do(what: string, work: () => unknown = () => {}): Promise<void> {
    this.#log.push(what);
    await work();
  }
}

function text(version: Version | undefined): string {
  return version === undefined ? "no row" : `${version.id}.${version.revision}`;
}
