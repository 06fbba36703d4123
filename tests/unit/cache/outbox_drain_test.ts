import { assertEquals } from "@std/assert";
import { OutboxDrain } from "../../../src/cache/outbox_drain.ts";
import { Tier } from "../../../src/cache/tier.ts";
import { type CacheKey, secretCacheKey } from "../../../src/core/key.ts";
import { ANY_EPOCH, type Epoch, type OutboxRecord } from "../../../src/core/ports.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { RecordingObserver } from "../../support/cache/recording_observer.ts";
import { turn } from "../../support/turn.ts";

const INTERVAL_MS = 1_000;
const HURRY_MS = 100;
const [A, B] = ["a", "b"].map(secretCacheKey) as [CacheKey, CacheKey];

const well = () => Promise.resolve();
const away = () => Promise.reject(new Error("away"));

/** A drain between an outbox and a shared tier that the test controls. */
class Draining implements Disposable {
  readonly clock = new FakeClock();
  readonly observer = new RecordingObserver();
  readonly shared: Tier;
  readonly did: string[] = [];
  readonly invalidated: (readonly CacheKey[] | "all")[] = [];
  records: OutboxRecord[] = [];
  looks = 0;
  readonly entered: Epoch[] = [];
  readonly epoch = {
    current: ANY_EPOCH as Epoch | undefined,
    rechecks: 0,
    confirm: () => Promise.resolve(),
    recheck() {
      this.rechecks++;
    },
  };
  inForce: (epoch: Epoch) => boolean = () => true;
  pending: () => Promise<void> = well;
  writeTombstone: () => Promise<void> = well;
  readonly drain: OutboxDrain;

  constructor(records: OutboxRecord[] = []) {
    this.records = records;
    const timeouts = { readTimeoutMs: 200, writeTimeoutMs: 200 };
    this.shared = new Tier({ name: "redis", ...timeouts }, this.clock, this.observer);
    const store = {
      enter: (epoch: Epoch) => {
        this.entered.push(epoch);
        return Promise.resolve(this.inForce(epoch));
      },
      pending: async (limit: number) => {
        this.looks++;
        await this.pending();
        return this.records.slice(0, limit);
      },
      clear: (cleared: readonly OutboxRecord[]) => {
        this.records = this.records.filter((record) => !cleared.includes(record));
        this.did.push(`clear ${cleared.length}`);
        return Promise.resolve();
      },
    };
    const tier = new Tier({ name: "database", ...timeouts }, this.clock, this.observer);
    this.drain = new OutboxDrain({ store, tier }, {
      clock: this.clock,
      observer: this.observer,
      shared: this.shared,
      epoch: this.epoch,
      writeTombstone: async (key, { id, revision }) => {
        await this.writeTombstone();
        this.did.push(`writeTombstone ${key} ${id}.${revision}`);
      },
      invalidateLocal: (keys) => this.invalidated.push(keys === "all" ? keys : [...keys]),
    });
  }

  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await turn();
  }

  [Symbol.dispose](): void {
    this.drain[Symbol.dispose]();
  }
}

function record(id: number, key = A, revision = 1): OutboxRecord {
  return { id, key, version: { id: 7, revision } };
}

Deno.test("OutboxDrain.isCurrent() once it has read the outbox, not before", async () => {
  using draining = new Draining();
  assertEquals(draining.drain.isCurrent(), false);
  await turn();
  assertEquals([draining.drain.isCurrent(), draining.looks], [true, 1]);
});

Deno.test("OutboxDrain writes a tombstone over the newest version of each key, and clears the records after that", async () => {
  using draining = new Draining([record(1), record(2, B, 5), record(3, A, 3), record(4, A, 2)]);
  await turn();
  assertEquals(draining.did, ["writeTombstone secret:a 7.3", "writeTombstone secret:b 7.5", "clear 4"]);
  assertEquals([draining.drain.isCurrent(), draining.records], [true, []]);
});

Deno.test("OutboxDrain takes 100 records at a time until there are no more", async () => {
  using draining = new Draining(Array.from({ length: 250 }, (_, id) => record(id)));
  await turn();
  assertEquals(draining.did.filter((what) => what.startsWith("clear")), [
    "clear 100",
    "clear 100",
    "clear 50",
  ]);
  assertEquals([draining.drain.isCurrent(), draining.looks], [true, 3]);
});

Deno.test("OutboxDrain keeps the records, stays stale and reports it while the tier fails", async () => {
  using draining = new Draining([record(1), record(2, B)]);
  draining.writeTombstone = away;
  await turn();
  assertEquals([draining.did, draining.drain.isCurrent()], [[], false]);
  assertEquals(draining.observer.reports, ["redis lacks 2 changes"]);
  draining.writeTombstone = well;
  await draining.pass(INTERVAL_MS);
  assertEquals(draining.did, ["writeTombstone secret:a 7.1", "writeTombstone secret:b 7.1", "clear 2"]);
  assertEquals(draining.drain.isCurrent(), true);
});

Deno.test("OutboxDrain becomes stale when the tier fails, and invalidates the keys in each round", async () => {
  using draining = new Draining();
  await turn();
  assertEquals(draining.drain.isCurrent(), true);
  draining.writeTombstone = away;
  draining.records = [record(1), record(2, B), record(3)];
  await draining.pass(INTERVAL_MS);
  assertEquals([draining.drain.isCurrent(), draining.invalidated], [false, [[A, B]]]);
  await draining.pass(INTERVAL_MS);
  assertEquals([draining.drain.isCurrent(), draining.invalidated], [false, [[A, B], [A, B]]]);
  draining.writeTombstone = well;
  await draining.pass(INTERVAL_MS);
  assertEquals([draining.drain.isCurrent(), draining.invalidated.length], [true, 2]);
});

Deno.test("OutboxDrain invalidates all waiting keys, and every key if too many wait", async () => {
  for (const [count, expected] of [[9_999, [A, B]], [10_000, "all"]] as const) {
    using draining = new Draining();
    draining.records = Array.from({ length: count }, (_, id) => record(id, id < 150 ? A : B));
    draining.writeTombstone = away;
    await turn();
    assertEquals(draining.invalidated, [expected]);
  }
});

Deno.test("OutboxDrain stays stale while the outbox cannot be read", async () => {
  using draining = new Draining();
  await turn();
  draining.shared.interrupted();
  draining.pending = away;
  await draining.pass(INTERVAL_MS);
  assertEquals([draining.looks, draining.drain.isCurrent()], [2, false]);
});

Deno.test("OutboxDrain reads the outbox each second", async () => {
  using draining = new Draining();
  await turn();
  draining.records = [record(1)];
  await draining.pass(INTERVAL_MS - 1);
  assertEquals(draining.did, []);
  await draining.pass(1);
  assertEquals(draining.did, ["writeTombstone secret:a 7.1", "clear 1"]);
});

Deno.test("OutboxDrain is stale after each interruption, and isCurrent() begins a round soon", async () => {
  using draining = new Draining();
  await turn();
  draining.shared.interrupted();
  assertEquals([draining.drain.isCurrent(), draining.looks], [false, 1], "the last round has just ended");
  await draining.pass(HURRY_MS);
  for (const _reader of [1, 2, 3]) assertEquals(draining.drain.isCurrent(), false);
  await turn();
  assertEquals([draining.drain.isCurrent(), draining.looks], [true, 2]);
});

Deno.test("OutboxDrain stays stale after a round during which an interruption or markStale() happened", async () => {
  for (const overtake of ["interrupted", "stale"] as const) {
    using draining = new Draining();
    await turn();
    const answer = Promise.withResolvers<void>();
    draining.pending = () => answer.promise;
    await draining.pass(INTERVAL_MS);
    if (overtake === "stale") draining.drain.markStale();
    else draining.shared.interrupted();
    answer.resolve();
    await turn();
    assertEquals([draining.looks, draining.drain.isCurrent()], [2, false], overtake);
  }
});

Deno.test("OutboxDrain leaves no timer once it is disposed of", async () => {
  const draining = new Draining();
  await turn();
  assertEquals(draining.clock.pendingTimers > 0, true);
  draining[Symbol.dispose]();
  await draining.pass(INTERVAL_MS);
  assertEquals([draining.clock.pendingTimers, draining.looks], [0, 1]);
});

Deno.test("OutboxDrain is current in an epoch once that is in force, and in a new epoch after another round", async () => {
  using draining = new Draining();
  draining.epoch.current = "x";
  await turn();
  draining.entered.length = 0;
  await draining.pass(INTERVAL_MS);
  assertEquals([draining.drain.isCurrent(), draining.drain.isInForce("x"), draining.entered], [true, true, [
    "x",
  ]]);

  draining.epoch.current = "y";
  assertEquals([draining.drain.isCurrent(), draining.drain.isInForce("y")], [false, false]);
  draining.invalidated.length = 0;
  await draining.pass(HURRY_MS);
  draining.drain.isCurrent();
  await turn();
  assertEquals([draining.drain.isCurrent(), draining.drain.isInForce("y")], [true, true]);
  assertEquals(draining.invalidated, ["all"], "what was kept under the one before");
  await draining.pass(INTERVAL_MS);
  assertEquals(draining.invalidated, ["all"], "once");
});

Deno.test("OutboxDrain does not use an epoch that is not in force, and invalidates all keys each second", async () => {
  using draining = new Draining();
  await turn();
  draining.records = [record(1)];
  draining.epoch.current = "x";
  draining.inForce = () => false;
  await draining.pass(INTERVAL_MS);
  draining.entered.length = 0;
  draining.invalidated.length = 0;
  for (let second = 0; second < 3; second++) {
    for (let tenth = 0; tenth < 10; tenth++) {
      assertEquals(draining.drain.isCurrent(), false);
      await draining.pass(INTERVAL_MS / 10);
    }
  }
  assertEquals(draining.entered, ["x", "x", "x"]);
  assertEquals(draining.invalidated, ["all", "all", "all"]);
  assertEquals([draining.did, draining.records.length, draining.drain.isInForce("x")], [[], 1, false]);
  assertEquals(draining.epoch.rechecks >= 3, true);
  assertEquals(draining.observer.reports.includes("redis is out of force"), true);

  // The same server under its present name.
  draining.inForce = () => true;
  draining.epoch.current = "x again";
  assertEquals(draining.drain.isCurrent(), false);
  await draining.pass(HURRY_MS);
  draining.drain.isCurrent();
  await turn();
  assertEquals([draining.drain.isCurrent(), draining.did], [true, [`writeTombstone ${A} 7.1`, "clear 1"]]);
});

Deno.test("OutboxDrain clears no records whose tombstones may be in another server", async () => {
  using draining = new Draining();
  draining.epoch.current = "x";
  await draining.pass(INTERVAL_MS);
  draining.records = [record(1)];
  draining.writeTombstone = () => {
    draining.epoch.current = "y";
    return well();
  };
  await draining.pass(INTERVAL_MS);
  assertEquals([draining.did, draining.records.length], [[`writeTombstone ${A} 7.1`], 1]);
  draining.writeTombstone = well;
  await draining.pass(INTERVAL_MS);
  assertEquals(draining.records.length, 0);
});

Deno.test("OutboxDrain is stale and clears nothing without a connection, but invalidates what others have changed", async () => {
  using draining = new Draining([record(1), record(2, B)]);
  draining.epoch.current = undefined;
  draining.writeTombstone = away;
  await draining.pass(INTERVAL_MS);
  assertEquals([draining.drain.isCurrent(), draining.records.length, draining.entered.includes("x")], [
    false,
    2,
    false,
  ]);
  assertEquals(draining.invalidated.at(-1), [A, B]);
});
