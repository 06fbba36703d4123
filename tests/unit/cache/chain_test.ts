import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { Chain } from "../../../src/cache/chain.ts";
import type { LocalTier } from "../../../src/cache/local_memory.ts";
import { Tier } from "../../../src/cache/tier.ts";
import type { Entry } from "../../../src/core/entry.ts";
import { ServiceError } from "../../../src/core/errors.ts";
import { cacheKey } from "../../../src/core/key.ts";
import { ANY_EPOCH, type Authority, type SharedCache } from "../../../src/core/ports.ts";
import { LruMemory } from "../../../src/store/memory/lru.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { LeavingCaller, PATIENT } from "../../support/cache/caller.ts";
import { keptAs } from "../../support/cache/kept_as.ts";
import { turn } from "../../support/turn.ts";
import { asFound } from "../../support/cache/as_found.ts";
import { localTier } from "../../support/cache/local_tier.ts";

const KEY = cacheKey("namespace", "key");

const TIMEOUT_MS = 200;
/** The time by the clock of {@link setUp}. */
const NOW_MS = 1_000_000;

/** An entry whose version grows with its value. */
function entry(value: string, expiresAtMs = Infinity): Entry<string> {
  return { value, expiresAtMs, version: { id: 1, revision: value.charCodeAt(0) } };
}

/** A chain over stores whose methods a test may replace. */
function setUp(stores: {
  authority?: Partial<Authority<string, string>>;
  shared?: Partial<SharedCache<string>>;
  keepsWrites?: boolean;
  /** Wraps local memory. */
  gate?: (memory: LocalTier<string>) => LocalTier<string>;
}) {
  const clock = new FakeClock(NOW_MS);
  const log: string[] = [];
  const memory = new LruMemory({ maxBytes: 10_000, maxEntryBytes: 10_000 }, clock);
  const local = memory.store<string>(keptAs(8));
  const tierOfMemory = localTier<string>(memory, clock);
  const note = <T>(what: string, result: T): Promise<T> => {
    log.push(what);
    return Promise.resolve(result);
  };
  const authority: Authority<string, string> = {
    read: () => note("authority.read", undefined),
    write: (_key, value) => note("authority.write", entry(value)),
    remove: () => note("authority.remove", undefined),
    ping: () => note("authority.ping", undefined),
    ...stores.authority,
  };
  const shared: SharedCache<string> = {
    read: () => note("shared.read", { lease: "L" }),
    announce: () => note("shared.announce", ANY_EPOCH),
    epoch: { current: ANY_EPOCH, confirm: () => Promise.resolve(), recheck() {} },
    publish: () => note("shared.publish", undefined),
    writeTombstone: () => note("shared.writeTombstone", undefined),
    retract: () => note("shared.retract", undefined),
    fill: (_key, lease, { value }) => note(`shared.fill ${value} under ${lease}`, undefined),
    ...stores.shared,
  };
  const observer = {
    tierFailed() {},
    breakerChanged() {},
    outboxWaiting() {},
    fillDropped() {},
    changesUnsettled() {},
    outOfForce() {},
  };
  const tier = (name: string) =>
    new Tier({ name, readTimeoutMs: TIMEOUT_MS, writeTimeoutMs: TIMEOUT_MS }, clock, observer);
  const chain = new Chain<string, string>({
    local: stores.gate?.(tierOfMemory) ?? tierOfMemory,
    shared: stores.shared && { store: shared, tier: tier("shared"), covers: () => true },
    ...(stores.keepsWrites !== undefined && { keepsWrites: stores.keepsWrites }),
    authority: { store: authority, tier: tier("database") },
    clock,
    observer,
    newIntent: () => "intent",
    backfillQueueSize: 10,
  });
  return { chain, clock, local, log };
}

const fails = () => Promise.reject(new Error("connection refused"));

Deno.test("Chain.get() returns what memory has itself, without a promise and without asking below", () => {
  const { chain, local, log } = setUp({});
  const held = entry("a");
  local.set(KEY, held);
  assertStrictEquals(chain.get(KEY, PATIENT, asFound), held);
  assertEquals(log, []);
});

Deno.test("Chain.get() asks nothing of the caller of a hit in memory", () => {
  const { chain, local } = setUp({});
  local.set(KEY, entry("a"));
  chain.get(KEY, {
    get cancelled(): boolean {
      throw new Error("asked");
    },
    whenCancelled() {
      throw new Error("asked");
    },
  }, asFound);
});

Deno.test("Chain.get() fills memory and the shared tier with what the authority had", async () => {
  const { chain, local, log } = setUp({ authority: { read: () => Promise.resolve(entry("a")) }, shared: {} });
  assertEquals((await chain.get(KEY, PATIENT, asFound))?.value, "a");
  assertEquals(local.get(KEY)?.value, "a");
  await chain.idle();
  assertEquals(log, ["shared.read", "shared.fill a under L"]);
});

Deno.test("Chain.get() fills nothing under a tombstone", async () => {
  const { chain, local, log } = setUp({
    authority: { read: () => Promise.resolve(entry("a")) },
    shared: { read: () => Promise.resolve("tombstone") },
  });
  assertEquals((await chain.get(KEY, PATIENT, asFound))?.value, "a");
  assertEquals(local.get(KEY), undefined);
  await chain.idle();
  assertEquals(log, []);
});

Deno.test("Chain.get() fills memory alone if the shared tier gives no lease", async () => {
  const { chain, local, log } = setUp({
    authority: { read: () => Promise.resolve(entry("a")) },
    shared: { read: () => Promise.resolve({ lease: undefined }) },
  });
  assertEquals((await chain.get(KEY, PATIENT, asFound))?.value, "a");
  await chain.idle();
  assertEquals(local.get(KEY)?.value, "a");
  assertEquals(log, []);
});

Deno.test("Chain.get() passes on an expired entry of the authority and fills nothing with it", async () => {
  const { chain, local, log } = setUp({
    authority: { read: () => Promise.resolve(entry("a", NOW_MS)) },
    shared: {},
  });
  assertEquals((await chain.get(KEY, PATIENT, asFound))?.value, "a");
  assertEquals(local.get(KEY), undefined);
  await chain.idle();
  assertEquals(log, ["shared.read"]);
});

Deno.test("Chain.get() treats an expired entry of the shared tier as absent", async () => {
  const { chain } = setUp({
    authority: { read: () => Promise.resolve(entry("b")) },
    shared: { read: () => Promise.resolve(entry("a", NOW_MS)) },
  });
  assertEquals((await chain.get(KEY, PATIENT, asFound))?.value, "b");
});

Deno.test("Chain.get() skips a shared tier that fails, and does not fill it", async () => {
  const { chain, log } = setUp({
    authority: { read: () => Promise.resolve(entry("a")) },
    shared: { read: fails },
  });
  assertEquals((await chain.get(KEY, PATIENT, asFound))?.value, "a");
  await chain.idle();
  assertEquals(log, []);
});

Deno.test("Chain.get() rejects when the authority fails: an outage is never a miss", async () => {
  const { chain } = setUp({ authority: { read: fails } });
  const error = await assertRejects(() => Promise.resolve(chain.get(KEY, PATIENT, asFound)), ServiceError);
  assertEquals([error.code, error.tier], ["store_unavailable", "database"]);
});

Deno.test("Chain.get() gives up after one time-out of an authority that does not answer", async () => {
  const { chain, clock } = setUp({ authority: { read: () => new Promise(() => {}) } });
  const found = Promise.resolve(chain.get(KEY, PATIENT, asFound));
  clock.advance(TIMEOUT_MS);
  const error = await assertRejects(() => found, ServiceError, "did not answer in time");
  assertEquals(error.code, "store_unavailable");
});

Deno.test("Chain.set() writes the authority between the announcement and the publication", async () => {
  const { chain, local, log } = setUp({ shared: {} });
  await chain.set(KEY, PATIENT, "a");
  assertEquals(log, ["authority.ping", "shared.announce", "authority.write", "shared.publish"]);
  assertEquals(local.get(KEY)?.value, "a");
});

Deno.test("Chain.set() asks the authority beforehand only if that has not answered for a while", async () => {
  const { chain, clock, log } = setUp({ shared: {} });
  await chain.set(KEY, PATIENT, "a");
  log.length = 0;
  clock.advance(1_000);
  await chain.set(KEY, PATIENT, "b");
  assertEquals(log, ["shared.announce", "authority.write", "shared.publish"]);
  clock.advance(2_000);
  await chain.set(KEY, PATIENT, "c");
  assertEquals(log[3], "authority.ping");
});

Deno.test("Chain.set() asks the authority beforehand once a write has failed", async () => {
  let write = () => Promise.resolve(entry("a"));
  const { chain, log } = setUp({ shared: {}, authority: { write: () => write() } });
  await chain.set(KEY, PATIENT, "a");
  write = fails;
  await assertRejects(() => chain.set(KEY, PATIENT, "b"), ServiceError);
  log.length = 0;
  await assertRejects(() => chain.set(KEY, PATIENT, "c"), ServiceError);
  assertEquals(log[0], "authority.ping");
});

Deno.test("Chain passes to the authority whether a change is announced in the shared tier", async () => {
  const epochs: unknown[] = [];
  let announce = () => Promise.resolve(ANY_EPOCH);
  const { chain } = setUp({
    shared: { announce: () => announce() },
    authority: {
      write: (_key, value, _signal, announcement) => {
        epochs.push(announcement?.epoch);
        return Promise.resolve(entry(value));
      },
      remove: (_key, _signal, announcement) => {
        epochs.push(announcement?.epoch);
        return Promise.resolve(undefined);
      },
    },
  });
  await chain.set(KEY, PATIENT, "a");
  await chain.delete(KEY, PATIENT);
  announce = fails;
  await chain.set(KEY, PATIENT, "b");
  await chain.delete(KEY, PATIENT);
  assertEquals(epochs, [ANY_EPOCH, ANY_EPOCH, undefined, undefined]);
});

Deno.test("Chain.set() publishes nothing if the authority finds another epoch in force", async () => {
  const { chain, clock, log } = setUp({
    shared: {},
    authority: {
      write: (_key, value, _signal, announcement) => {
        announcement!.epoch = undefined;
        return Promise.resolve(entry(value));
      },
    },
  });
  await chain.set(KEY, PATIENT, "a");
  assertEquals(log, ["authority.ping", "shared.announce"]);
  clock.advance(1_000);
  await turn();
  assertEquals(log.slice(2), ["shared.writeTombstone"], "as if it had not been announced");
});

Deno.test("Chain.set() keeps a tombstone until a write without an answer is settled, and nothing in memory", async () => {
  const stall = Promise.withResolvers<void>();
  const { chain, local, log } = setUp({
    shared: {},
    authority: {
      read: () => Promise.resolve(entry("old")),
      write: () =>
        Promise.reject(new ServiceError("store_unavailable", "no answer", { settled: stall.promise })),
    },
  });
  await assertRejects(() => chain.set(KEY, PATIENT, "new"), ServiceError);
  assertEquals((await chain.get(KEY, PATIENT, asFound))?.value, "old");
  assertEquals([local.get(KEY), log.includes("shared.read")], [undefined, false]);
  local.set(KEY, entry("old"));
  stall.resolve();
  await turn();
  assertEquals(local.get(KEY), undefined);
});

Deno.test("Chain.set() leaves in memory what it has written, or nothing if keepsWrites is false", async () => {
  for (const keepsWrites of [true, false]) {
    const { chain, local } = setUp({ keepsWrites });
    local.set(KEY, entry("a"));
    await chain.set(KEY, PATIENT, "b");
    assertEquals(local.get(KEY)?.value, keepsWrites ? "b" : undefined);
  }
});

Deno.test("Chain.set() announces nothing while the authority does not answer", async () => {
  const { chain, local, log } = setUp({ authority: { ping: fails }, shared: {} });
  local.set(KEY, entry("old"));
  await assertRejects(() => chain.set(KEY, PATIENT, "new"), ServiceError);
  assertEquals(log, []);
  assertEquals(local.get(KEY)?.value, "old", "nothing has changed, so memory may go on");
});

Deno.test("Chain.set() evicts the key from memory when the outcome of the write is unknown", async () => {
  const { chain, local } = setUp({ authority: { write: fails } });
  local.set(KEY, entry("old"));
  await assertRejects(() => chain.set(KEY, PATIENT, "new"), ServiceError);
  assertEquals(local.get(KEY), undefined);
});

Deno.test("Chain.set() takes its announcement back when there was no effect, and every copy remains", async () => {
  const undone = () =>
    Promise.reject(new ServiceError("store_unavailable", "the row is locked", { hadNoEffect: true }));
  for (const change of ["set", "delete"] as const) {
    const { chain, local, log } = setUp({ authority: { write: undone, remove: undone }, shared: {} });
    local.set(KEY, entry("old"));
    const changed = change === "set" ? chain.set(KEY, PATIENT, "new") : chain.delete(KEY, PATIENT);
    await assertRejects(() => changed, ServiceError, "the row is locked");
    assertEquals(log, ["authority.ping", "shared.announce", "shared.retract"]);
    assertEquals(local.get(KEY)?.value, "old");
    local.clear();
    await chain.get(KEY, PATIENT, asFound);
    assertEquals(log[3], "shared.read", "the key is clean");
  }
});

Deno.test("Chain.set() takes back no announcement that has failed", async () => {
  const undone = () =>
    Promise.reject(new ServiceError("store_unavailable", "the row is locked", { hadNoEffect: true }));
  const { chain, log } = setUp({ authority: { write: undone }, shared: { announce: fails } });
  await assertRejects(() => chain.set(KEY, PATIENT, "new"), ServiceError);
  assertEquals(log, ["authority.ping"]);
});

Deno.test("Chain makes changes of one key one at a time if there is a shared tier, and one for all that it covers", async () => {
  const first = Promise.withResolvers<Entry<string>>();
  const writes = [first.promise, Promise.resolve(entry("c"))];
  const written: string[] = [];
  const { chain, local, log } = setUp({
    authority: {
      write: (_key, value) => {
        written.push(value);
        return writes.shift()!;
      },
    },
    shared: {},
  });
  const caller = new LeavingCaller();
  const changes = [
    chain.set(KEY, PATIENT, "a"),
    chain.set(KEY, PATIENT, "b"),
    chain.delete(KEY, PATIENT),
    chain.set(KEY, PATIENT, "c"),
    chain.set(KEY, caller, "d"),
  ];
  caller.leave();
  assertEquals((await assertRejects(() => changes[4]!, ServiceError)).code, "cancelled");
  await turn();
  assertEquals([log, written], [["authority.ping", "shared.announce"], ["a"]]);
  first.resolve(entry("a"));
  await Promise.all(changes.slice(0, 4));
  assertEquals(log, [
    "authority.ping",
    "shared.announce",
    "shared.publish",
    "shared.announce",
    "authority.remove",
    "shared.writeTombstone",
    "shared.announce",
    "shared.publish",
  ]);
  assertEquals(written, ["a", "c"]);
  assertEquals(local.get(KEY)?.value, "c");
});

Deno.test("Chain lets changes of one key overlap if there is no shared tier", async () => {
  const never = new Promise<never>(() => {});
  const written: string[] = [];
  const { chain } = setUp({
    authority: {
      write: (_key, value) => {
        written.push(value);
        return never;
      },
    },
  });
  for (const value of ["a", "b"]) chain.set(KEY, PATIENT, value);
  await turn();
  assertEquals(written, ["a", "b"]);
});

Deno.test("Chain.set() evicts the key once more when a write that timed out turns out to have happened", async () => {
  const { promise, resolve } = Promise.withResolvers<Entry<string>>();
  const { chain, clock, local } = setUp({
    authority: { write: () => promise, read: () => Promise.resolve(entry("old")) },
  });
  const written = chain.set(KEY, PATIENT, "new");
  clock.advance(TIMEOUT_MS);
  await assertRejects(() => written, ServiceError);
  await chain.get(KEY, PATIENT, asFound);
  assertEquals(local.get(KEY)?.value, "old");
  resolve(entry("new"));
  await promise;
  await Promise.resolve();
  assertEquals(local.get(KEY), undefined);
});

Deno.test("Chain.set() succeeds without the shared tier, which is not read for the key until it has a tombstone", async () => {
  let reachable = false;
  const unless = <T>(result: T) => reachable ? Promise.resolve(result) : fails();
  const { chain, clock, local, log } = setUp({
    authority: { read: () => Promise.resolve(entry("new")) },
    shared: { announce: () => unless(ANY_EPOCH), writeTombstone: () => unless(undefined) },
  });
  await chain.set(KEY, PATIENT, "new");
  local.clear();
  await chain.get(KEY, PATIENT, asFound);
  assertEquals(log, ["authority.ping", "authority.write"], "the shared tier is not asked");
  reachable = true;
  clock.advance(1000);
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  local.clear();
  await chain.get(KEY, PATIENT, asFound);
  await chain.idle();
  assertEquals(log.slice(2), ["shared.read", "shared.fill new under L"]);
});

Deno.test("Chain.set() that could not be announced writes a tombstone of the version that it has made", async () => {
  const tombstones: unknown[] = [];
  const { chain, clock } = setUp({
    shared: {
      announce: fails,
      writeTombstone: (_key, _intent, version) => {
        tombstones.push(version);
        return Promise.resolve();
      },
    },
  });
  // Under an older one, another change that is announced and still under way could publish over it.
  await chain.set(KEY, PATIENT, "new");
  clock.advance(1000);
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  assertEquals(tombstones, [entry("new").version]);
});

Deno.test("Chain.get() serves nothing older from memory than a read that bypassed memory", async () => {
  let truth: Entry<string> | undefined = entry("a");
  let mayServe = true;
  const { chain, local } = setUp({
    authority: { read: () => Promise.resolve(truth) },
    gate: (memory) => ({
      get: (...lookup) => mayServe ? memory.get(...lookup) : undefined,
      keep: (...kept) => memory.keep(...kept),
      keepAbsence: (...kept) => memory.keepAbsence(...kept),
      delete: (key) => memory.delete(key),
      clear: () => memory.clear(),
    }),
  });
  for (const next of [undefined, entry("expired", NOW_MS), entry("b")]) {
    local.set(KEY, entry("a"));
    truth = next;
    mayServe = false;
    assertEquals(await chain.get(KEY, PATIENT, asFound), next);
    mayServe = true;
    assertEquals(await chain.get(KEY, PATIENT, asFound), next);
  }
});

Deno.test("Chain.set() puts nothing over the result of a read that began after it", async () => {
  for (const newer of [entry("b"), undefined]) {
    const { promise, resolve } = Promise.withResolvers<Entry<string>>();
    const { chain } = setUp({ authority: { write: () => promise, read: () => Promise.resolve(newer) } });
    const written = chain.set(KEY, PATIENT, "a");
    assertEquals(await chain.get(KEY, PATIENT, asFound), newer, "of another replica, and newer");
    resolve(entry("a"));
    await written;
    assertEquals(await chain.get(KEY, PATIENT, asFound), newer);
  }
});

Deno.test("Chain.delete() leaves nothing in memory, also while a read of the key is under way", async () => {
  const { promise, resolve } = Promise.withResolvers<Entry<string>>();
  const { chain, local } = setUp({ authority: { read: () => promise } });
  const read = chain.get(KEY, PATIENT, asFound);
  await chain.delete(KEY, PATIENT);
  resolve(entry("old"));
  assertEquals((await read)?.value, "old");
  assertEquals(local.get(KEY), undefined);
});

Deno.test("Chain.get() that begins after a delete does not join a read that began before it", async () => {
  const answers = [Promise.withResolvers<Entry<string>>().promise, Promise.resolve(undefined)];
  const { chain } = setUp({ authority: { read: () => answers.shift()! } });
  const before = chain.get(KEY, PATIENT, asFound);
  await chain.delete(KEY, PATIENT);
  assertEquals(await chain.get(KEY, PATIENT, asFound), undefined);
  assertEquals(answers.length, 0);
  assertEquals(before instanceof Promise, true);
});
