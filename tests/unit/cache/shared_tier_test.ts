import { assertEquals } from "@std/assert";
import { CONCURRENT_FILLS } from "../../../src/cache/backfill.ts";
import { Fences } from "../../../src/cache/fences.ts";
import { SharedTier } from "../../../src/cache/shared_tier.ts";
import { Tier } from "../../../src/cache/tier.ts";
import type { Entry } from "../../../src/core/entry.ts";
import { type CacheKey, secretCacheKey } from "../../../src/core/key.ts";
import { ANY_EPOCH, type Epoch, type SharedCache, type SharedRead } from "../../../src/core/ports.ts";
import { endOf, type Version } from "../../../src/core/version.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { RecordingObserver } from "../../support/cache/recording_observer.ts";
import { turn } from "../../support/turn.ts";

const KEY = secretCacheKey("alice");
const SIGNAL = new AbortController().signal;
const TIMEOUT_MS = 200;
const RETRY_MS = 1_000;
const MISS = { lease: "L" };

/** A shared cache that records its calls, and answers or fails as the test sets it. */
class ScriptedCache implements SharedCache<string> {
  readonly calls: string[] = [];
  readonly epoch = { current: ANY_EPOCH, confirm: () => Promise.resolve(), recheck() {} };
  holds: SharedRead<string> = MISS;
  /** What every operation waits for. */
  answer: () => Promise<void> = () => Promise.resolve();

  async read(): Promise<SharedRead<string>> {
    await this.answer();
    return this.holds;
  }

  async announce(_key: CacheKey, intent: string): Promise<Epoch> {
    await this.#take(`announce ${intent}`);
    return ANY_EPOCH;
  }

  publish(_key: CacheKey, intent: string, entry: Entry<string>): Promise<void> {
    return this.#take(`publish ${intent} ${entry.value}`);
  }

  writeTombstone(_key: CacheKey, intent: string, version: Version | undefined): Promise<void> {
    return this.#take(`writeTombstone ${intent} ${version?.id ?? "nothing"}`);
  }

  retract(_key: CacheKey, intent: string): Promise<void> {
    return this.#take(`retract ${intent}`);
  }

  fill(_key: CacheKey, lease: string, entry: Entry<string>): Promise<void> {
    return this.#take(`fill ${entry.value} under ${lease}`);
  }

  #take(what: string): Promise<void> {
    this.calls.push(what);
    return this.answer();
  }
}

/** A shared tier over a {@link ScriptedCache}. */
class Sharing {
  readonly clock = new FakeClock();
  readonly observer = new RecordingObserver();
  readonly store = new ScriptedCache();
  readonly shared: SharedTier<string>;

  constructor({ backfillQueueSize = 10 } = {}) {
    const tier = new Tier(
      { name: "redis", readTimeoutMs: TIMEOUT_MS, writeTimeoutMs: TIMEOUT_MS },
      this.clock,
      this.observer,
    );
    this.shared = new SharedTier(this.store, tier, {
      clock: this.clock,
      observer: this.observer,
      newIntent: () => "own",
      invalidateLocal() {},
      outbox: undefined,
      backfillQueueSize,
    });
  }

  entry(leftMs = Infinity): Entry<string> {
    return { value: "v", expiresAtMs: this.clock.now() + leftMs, version: { id: 1, revision: 1 } };
  }

  read() {
    return this.shared.read(KEY, SIGNAL);
  }

  /** What becomes of `work` when the tier never answers it. */
  async timedOut<T>(work: Promise<T>): Promise<T> {
    this.clock.advance(TIMEOUT_MS);
    return await work;
  }

  async nextRetry(): Promise<void> {
    this.clock.advance(RETRY_MS);
    await turn();
  }
}

const away = () => Promise.reject(new Error("away"));
const silent = () => new Promise<never>(() => {});
const well = () => Promise.resolve();

Deno.test("SharedTier.read() returns what the store holds, and a miss without a lease for an entry that has just expired", async () => {
  const sharing = new Sharing();
  assertEquals(await sharing.read(), MISS);
  sharing.store.holds = "tombstone";
  assertEquals(await sharing.read(), "tombstone");
  const entry = sharing.entry(1);
  sharing.store.holds = entry;
  assertEquals(await sharing.read(), entry);
  sharing.clock.advance(1);
  assertEquals(await sharing.read(), { lease: undefined });
});

Deno.test("SharedTier.read() returns unknown when the store fails or does not answer, and reports it", async () => {
  const sharing = new Sharing();
  sharing.store.answer = away;
  assertEquals(await sharing.read(), "unknown");
  sharing.store.answer = silent;
  assertEquals(await sharing.timedOut(sharing.read()), "unknown");
  assertEquals(sharing.observer.reports, [
    "redis read: Cannot read in the redis tier: it refused, or cannot be reached",
    "redis read: Cannot read in the redis tier: it did not answer in time",
  ]);
});

Deno.test("SharedTier.announce() that succeeds leaves the key clean", async () => {
  const sharing = new Sharing();
  assertEquals(await sharing.shared.announce(KEY, "A"), { epoch: ANY_EPOCH });
  assertEquals(await sharing.read(), MISS);
  assertEquals(sharing.store.calls, ["announce A"]);
});

Deno.test("SharedTier.announce() that fails makes the key dirty until it has a tombstone", async () => {
  for (const answer of [away, silent]) {
    const sharing = new Sharing();
    sharing.store.holds = sharing.entry();
    sharing.store.answer = answer;
    assertEquals(await sharing.timedOut(sharing.shared.announce(KEY, "A")), { epoch: undefined });
    sharing.store.answer = well;
    assertEquals(await sharing.read(), "unknown");
    await sharing.nextRetry();
    assertEquals(sharing.store.calls, ["announce A", "writeTombstone own nothing"]);
    assertEquals(await sharing.read(), sharing.store.holds);
  }
});

Deno.test("SharedTier.publish() and writeTombstone() that succeed make a dirty key clean, announce() does not", async () => {
  const ends = [
    (sharing: Sharing) => sharing.shared.publish(KEY, "A", sharing.entry()),
    (sharing: Sharing) => sharing.shared.writeTombstone(KEY, "A", endOf(2)),
  ];
  for (const end of ends) {
    const sharing = new Sharing();
    sharing.shared.markDirty(KEY, { id: 1, revision: 1 });
    assertEquals(await sharing.shared.announce(KEY, "A"), { epoch: ANY_EPOCH });
    assertEquals(await sharing.read(), "unknown");
    await end(sharing);
    assertEquals(await sharing.read(), MISS);
    await sharing.nextRetry();
    assertEquals(sharing.store.calls.length, 2);
  }
});

Deno.test("SharedTier.retract() leaves a key dirty if an earlier change could not be announced", async () => {
  const sharing = new Sharing();
  sharing.shared.markDirty(KEY, { id: 7, revision: 1 });
  await sharing.shared.announce(KEY, "A");
  await sharing.shared.retract(KEY, "A");
  assertEquals(await sharing.read(), "unknown");
  await sharing.nextRetry();
  assertEquals(sharing.store.calls, ["announce A", "retract A", "writeTombstone own 7"]);
  assertEquals(await sharing.read(), MISS);
});

Deno.test("SharedTier.read() returns unknown when the key becomes dirty while the answer is under way", async () => {
  const sharing = new Sharing();
  sharing.store.holds = sharing.entry();
  const reading = sharing.read();
  sharing.shared.markDirty(KEY);
  assertEquals(await reading, "unknown");
});

Deno.test("SharedTier.publish() and writeTombstone() pass the result on, and an expired entry as a delete", async () => {
  const sharing = new Sharing();
  await sharing.shared.publish(KEY, "A", sharing.entry());
  await sharing.shared.publish(KEY, "B", sharing.entry(0));
  await sharing.shared.writeTombstone(KEY, "C", endOf(7));
  await sharing.shared.writeTombstone(KEY, "D", undefined);
  assertEquals(sharing.store.calls, [
    "publish A v",
    "writeTombstone B 1",
    "writeTombstone C 7",
    "writeTombstone D nothing",
  ]);
});

Deno.test("SharedTier.publish() and writeTombstone() that fail do not fail the change, and make the key dirty", async () => {
  const changes = [
    (sharing: Sharing) => sharing.shared.publish(KEY, "A", sharing.entry()),
    (sharing: Sharing) => sharing.shared.writeTombstone(KEY, "A", endOf(1)),
  ];
  for (const change of changes) {
    for (const answer of [away, silent]) {
      const sharing = new Sharing();
      sharing.store.answer = answer;
      await sharing.timedOut(change(sharing));
      assertEquals(sharing.observer.reports.length, 1);
      sharing.store.answer = well;
      assertEquals(await sharing.read(), "unknown");
      await sharing.nextRetry();
      assertEquals(await sharing.read(), MISS);
    }
  }
});

Deno.test("SharedTier.retract() takes an announcement back, and makes no key dirty if that fails", async () => {
  const sharing = new Sharing();
  await sharing.shared.retract(KEY, "A");
  for (const answer of [away, silent]) {
    sharing.store.answer = answer;
    await sharing.timedOut(sharing.shared.retract(KEY, "B"));
  }
  sharing.store.answer = well;
  assertEquals(sharing.store.calls, ["retract A", "retract B", "retract B"]);
  assertEquals(sharing.observer.reports.length, 2);
  assertEquals(await sharing.read(), MISS);
});

Deno.test("SharedTier.backfill() copies an entry that has time left and whose fence holds", async () => {
  const sharing = new Sharing();
  const fences = new Fences();
  const voided = fences.take(KEY);
  fences.void(KEY);
  sharing.shared.backfill(KEY, { entry: sharing.entry(), lease: "L", fence: voided });
  sharing.shared.backfill(KEY, { entry: sharing.entry(0), lease: "L", fence: fences.take(KEY) });
  assertEquals(sharing.store.calls, []);
  sharing.shared.backfill(KEY, { entry: sharing.entry(1), lease: "L", fence: fences.take(KEY) });
  await sharing.shared.idle();
  assertEquals(sharing.store.calls, ["fill v under L"]);
});

Deno.test("SharedTier.backfill() that fails fails no call, and is reported", async () => {
  const sharing = new Sharing();
  sharing.store.answer = away;
  sharing.shared.backfill(KEY, { entry: sharing.entry(), lease: "L", fence: new Fences().take(KEY) });
  await sharing.shared.idle();
  assertEquals(sharing.observer.reports, [
    "redis fill: Cannot fill in the redis tier: it refused, or cannot be reached",
  ]);
});

Deno.test("SharedTier.backfill() reports a dropped copy", () => {
  const sharing = new Sharing({ backfillQueueSize: 1 });
  const fences = new Fences();
  sharing.store.answer = silent;
  const offer = () =>
    sharing.shared.backfill(KEY, { entry: sharing.entry(), lease: "L", fence: fences.take(KEY) });
  for (let index = 0; index < CONCURRENT_FILLS + 1; index++) offer();
  assertEquals(sharing.observer.reports, []);
  offer();
  assertEquals(sharing.observer.reports, ["redis dropped a fill"]);
});

Deno.test("SharedTier completes its copies and leaves no timer when it is disposed of", async () => {
  const sharing = new Sharing();
  sharing.shared.markDirty(KEY);
  sharing.shared.backfill(KEY, { entry: sharing.entry(), lease: "L", fence: new Fences().take(KEY) });
  await sharing.shared[Symbol.asyncDispose]();
  assertEquals(sharing.store.calls, ["fill v under L"]);
  sharing.clock.advance(TIMEOUT_MS);
  assertEquals(sharing.clock.pendingTimers, 0);
});
