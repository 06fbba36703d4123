/** The chain with entries that local memory keeps under a policy. */
import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { Chain } from "../../../src/cache/chain.ts";
import type { CopyPolicy } from "../../../src/core/policies.ts";
import { Tier } from "../../../src/cache/tier.ts";
import { ANY_EPOCH } from "../../../src/core/ports.ts";
import type { Entry } from "../../../src/core/entry.ts";
import { ServiceError } from "../../../src/core/errors.ts";
import { cacheKey } from "../../../src/core/key.ts";
import type { SharedRead } from "../../../src/core/ports.ts";
import { LruMemory } from "../../../src/store/memory/lru.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { RecordingObserver } from "../../support/cache/recording_observer.ts";
import { turn } from "../../support/turn.ts";
import { PATIENT } from "../../support/cache/caller.ts";
import { asFound } from "../../support/cache/as_found.ts";
import { localTier } from "../../support/cache/local_tier.ts";

const KEY = cacheKey("n", "k");

const POLICY: CopyPolicy = { localTtlMs: 1000, negativeTtlMs: 500, refreshAhead: 0.8, jitter: 0 };
const TIMEOUT_MS = 200;

function entry(value: string, expiresAtMs = Infinity): Entry<string> {
  return { value, expiresAtMs, version: { id: 1, revision: 1 } };
}

/** A chain whose authority answers with `truth`, unless a test replaces `read`. */
class Setting {
  readonly clock = new FakeClock();
  readonly observer = new RecordingObserver();
  readonly chain: Chain<string, string>;
  truth: Entry<string> | undefined;
  read: () => Promise<Entry<string> | undefined> = () => Promise.resolve(this.truth);
  reads = 0;

  /** `shared` is what the tier between has, if there is one. */
  constructor(shared?: SharedRead<string>) {
    const { clock, observer } = this;
    const tier = (name: string) =>
      new Tier({ name, readTimeoutMs: TIMEOUT_MS, writeTimeoutMs: TIMEOUT_MS }, clock, observer);
    const memory = new LruMemory({ maxBytes: 10_000, maxEntryBytes: 10_000 }, clock);
    const done = () => Promise.resolve();
    this.chain = new Chain<string, string>({
      local: localTier(memory, clock),
      shared: shared && {
        tier: tier("redis"),
        covers: () => false,
        store: {
          read: () => Promise.resolve(shared),
          announce: () => Promise.resolve(ANY_EPOCH),
          epoch: { current: ANY_EPOCH, confirm: () => Promise.resolve(), recheck() {} },
          publish: done,
          writeTombstone: done,
          retract: done,
          fill: done,
        },
      },
      authority: {
        tier: tier("database"),
        store: {
          read: () => {
            this.reads++;
            return this.read();
          },
          write: (_key, value) => Promise.resolve(this.truth = entry(value)),
          remove: () => Promise.resolve(this.truth = undefined),
          ping: done,
        },
      },
      clock,
      observer,
      newIntent: () => "intent",
      backfillQueueSize: 1,
    });
  }

  get(policy: CopyPolicy = POLICY): Entry<string> | undefined | Promise<Entry<string> | undefined> {
    return this.chain.get(KEY, PATIENT, asFound, policy);
  }

  /** What a Get returns in the end. */
  async value(): Promise<string | undefined> {
    return (await this.get())?.value;
  }
}

Deno.test("Chain.get() returns a copy's entry itself, without a promise, until the copy's time is over", async () => {
  const setting = new Setting();
  setting.truth = entry("a");
  await setting.get();
  assertStrictEquals(setting.get(), setting.truth);
  setting.truth = entry("b");
  setting.clock.advance(1000);
  assertEquals(await setting.value(), "b");
  assertEquals(setting.reads, 2);
});

Deno.test("Chain.set() leaves a copy under the policy, and delete() and invalidations leave none", async () => {
  const setting = new Setting();
  const { chain, clock } = setting;
  const drops = [() => chain.delete(KEY, PATIENT), () => chain.invalidate(KEY), () => chain.invalidateAll()];
  for (const drop of drops) {
    await chain.set(KEY, PATIENT, "a", POLICY);
    assertEquals(setting.get(), entry("a"));
    await drop();
    setting.truth = undefined;
    assertEquals(await setting.value(), undefined);
    clock.advance(500);
  }
  await chain.set(KEY, PATIENT, "a", POLICY);
  clock.advance(1000);
  assertEquals(setting.get() instanceof Promise, true, "the copy has ended");
});

Deno.test("Chain.get() remembers absence, or the expired entry that was found", async () => {
  const setting = new Setting();
  for (const found of [undefined, entry("expired", setting.clock.now())]) {
    setting.truth = found;
    const readsBefore = setting.reads;
    assertStrictEquals(await setting.get(), found);
    setting.truth = entry("a");
    setting.clock.advance(499);
    assertStrictEquals(setting.get(), found);
    assertEquals(setting.reads, readsBefore + 1);
    setting.clock.advance(1);
    assertEquals(await setting.value(), "a");
    setting.chain.invalidateAll();
  }
});

Deno.test("Chain.get() forgets absence with each change of the key", async () => {
  const setting = new Setting();
  const { chain } = setting;
  const changes = [
    () => chain.set(KEY, PATIENT, "a", POLICY),
    () => chain.invalidate(KEY),
    () => chain.invalidateAll(),
  ];
  for (const change of changes) {
    setting.truth = undefined;
    assertEquals(await setting.get(), undefined);
    await change();
    setting.truth = entry("a");
    assertEquals(await setting.value(), "a");
    await chain.delete(KEY, PATIENT);
  }
});

Deno.test("Chain.get() remembers no error, and no answer that a change has made stale", async () => {
  const setting = new Setting();
  setting.read = () => Promise.reject(new Error("connection refused"));
  await assertRejects(() => Promise.resolve(setting.get()), ServiceError);

  const { promise, resolve } = Promise.withResolvers<undefined>();
  setting.read = () => promise;
  const overtaken = setting.get();
  setting.chain.invalidate(KEY);
  resolve(undefined);
  assertEquals(await overtaken, undefined);
  setting.read = () => Promise.resolve(entry("a"));
  assertEquals(await setting.value(), "a");
});

Deno.test("Chain.get() remembers nothing that it reads under a tombstone", async () => {
  const setting = new Setting("tombstone");
  await setting.get();
  setting.truth = entry("a");
  assertEquals(await setting.value(), "a");
  assertEquals(setting.get() instanceof Promise, true);
});

Deno.test("Chain.get() answers from an old copy at once and renews it in the background, once", async () => {
  const setting = new Setting();
  setting.truth = entry("a");
  await setting.get();
  setting.clock.advance(800);
  const { promise, resolve } = Promise.withResolvers<Entry<string>>();
  setting.read = () => promise;
  for (let hit = 0; hit < 10; hit++) assertEquals(setting.get(), entry("a"));
  assertEquals(setting.reads, 2);
  resolve(entry("b"));
  await setting.chain.idle();
  assertEquals(setting.get(), entry("b"));
  setting.clock.advance(799);
  assertEquals(setting.get(), entry("b"), "its time has begun anew");
  assertEquals(setting.reads, 2);
});

Deno.test("Chain.get() lets a reader whose copy has ended join the flight that renews it", async () => {
  const setting = new Setting();
  setting.truth = entry("a");
  await setting.get();
  setting.clock.advance(900);
  const { promise, resolve } = Promise.withResolvers<Entry<string>>();
  setting.read = () => promise;
  setting.get();
  setting.clock.advance(100);
  const joined = setting.value();
  resolve(entry("b"));
  assertEquals([await joined, setting.reads], ["b", 2]);
});

Deno.test("Chain.get() hides that a copy could not be renewed, and tries once a copy", async () => {
  const setting = new Setting();
  setting.truth = entry("a");
  await setting.get();
  setting.clock.advance(800);
  setting.read = () => new Promise(() => {});
  assertEquals(setting.get(), entry("a"));
  setting.clock.advance(TIMEOUT_MS - 1);
  for (let hit = 0; hit < 10; hit++) assertEquals(setting.get(), entry("a"));
  setting.clock.advance(1);
  await setting.chain.idle();
  assertEquals(setting.observer.reports.length, 1);
  assertEquals(setting.reads, 2);
});

Deno.test("Chain.get() lets a renewal that finds nothing, or a tombstone, end the copy", async () => {
  const setting = new Setting();
  setting.truth = entry("a");
  await setting.get();
  setting.truth = undefined;
  setting.clock.advance(800);
  setting.get();
  await setting.chain.idle();
  assertEquals(await setting.get(), undefined);

  const behindTombstone = new Setting("tombstone");
  await behindTombstone.chain.set(KEY, PATIENT, "a", POLICY);
  behindTombstone.clock.advance(800);
  assertEquals(behindTombstone.get(), entry("a"));
  await behindTombstone.chain.idle();
  assertEquals(behindTombstone.get() instanceof Promise, true);
});

Deno.test("Chain.get() drops the result of a renewal during which the key was changed", async () => {
  const setting = new Setting();
  setting.truth = entry("a");
  await setting.get();
  setting.clock.advance(800);
  const { promise, resolve } = Promise.withResolvers<Entry<string>>();
  setting.read = () => promise;
  setting.get();
  await setting.chain.delete(KEY, PATIENT);
  resolve(entry("a"));
  await setting.chain.idle();
  setting.read = () => Promise.resolve(undefined);
  assertEquals(await setting.get(), undefined);
});

Deno.test("Chain waits for renewals under way before it is disposed of", async () => {
  const setting = new Setting();
  setting.truth = entry("a");
  await setting.get();
  setting.clock.advance(800);
  const { promise, resolve } = Promise.withResolvers<Entry<string>>();
  setting.read = () => promise;
  setting.get();
  let isDisposed = false;
  const disposed = setting.chain[Symbol.asyncDispose]().then(() => isDisposed = true);
  for (let turns = 0; turns < 5; turns++) await turn();
  assertEquals(isDisposed, false);
  resolve(entry("b"));
  await disposed;
});
