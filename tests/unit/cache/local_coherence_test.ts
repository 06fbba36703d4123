import { assertEquals } from "@std/assert";
import { CONFIRMED_FOR_MS, LocalCoherence } from "../../../src/cache/local_coherence.ts";
import { ABSENT } from "../../../src/cache/local_memory.ts";
import { type CacheKey, cacheKey } from "../../../src/core/key.ts";
import type { CopyPolicy } from "../../../src/core/policies.ts";
import { UNVERSIONED } from "../../../src/core/version.ts";
import { LruMemory } from "../../../src/store/memory/lru.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { keptAs } from "../../support/cache/kept_as.ts";
import { localTier } from "../../support/cache/local_tier.ts";

const KEY = cacheKey("n", "k");
const ENTRY = { value: 1, expiresAtMs: Infinity, version: UNVERSIONED };

/** A coherent memory, and a subscriber that records invalidations and evicts as a chain does. */
function setUp(maxStaleMs = 0) {
  const clock = new FakeClock();
  const coherence = new LocalCoherence(clock, maxStaleMs);
  const memory = new LruMemory({ maxBytes: 10_000, maxEntryBytes: 10_000 }, clock);
  const store = memory.store(keptAs(8));
  const dropped: (CacheKey | "all")[] = [];
  coherence.subscribe({
    invalidate(key) {
      dropped.push(key);
      store.delete(key);
    },
    invalidateAll() {
      dropped.push("all");
      store.clear();
    },
  });
  const tier = coherence.wrap(localTier<number>(memory, clock));
  const get = (key?: CacheKey, policy?: CopyPolicy) => tier.get(key ?? KEY, policy, () => {});
  return { clock, coherence, tier, get, store, dropped };
}

Deno.test("LocalCoherence does not use memory until changes are reported", () => {
  const { clock, coherence, tier, get, store } = setUp(60_000);
  store.set(KEY, ENTRY);
  assertEquals(get(), undefined);
  tier.keep(KEY, ENTRY, undefined);
  assertEquals(store.get(KEY), undefined, "the entry that it would have replaced is gone");
  coherence.resume(clock.now());
  tier.keep(KEY, ENTRY, undefined);
  assertEquals(get(), ENTRY);
});

Deno.test("LocalCoherence passes on invalidations of one key and of all", () => {
  const { clock, coherence, tier, get, dropped } = setUp();
  coherence.resume(clock.now());
  tier.keep(KEY, ENTRY, undefined);
  coherence.invalidate(KEY);
  assertEquals(get(), undefined);
  coherence.invalidateAll();
  assertEquals(dropped, ["all", KEY, "all"]);
});

Deno.test("LocalCoherence.suspend() empties memory, and resume() once more", () => {
  const { clock, coherence, tier, store, dropped } = setUp();
  coherence.resume(clock.now());
  tier.keep(KEY, ENTRY, undefined);
  coherence.suspend();
  assertEquals([store.get(KEY), dropped.length], [undefined, 2]);
  coherence.resume(clock.now());
  assertEquals(dropped, ["all", "all", "all"]);
});

Deno.test("LocalCoherence bypasses memory without a confirmation, and not a millisecond before that", () => {
  const { clock, coherence, tier, get } = setUp();
  coherence.resume(clock.now());
  tier.keep(KEY, ENTRY, undefined);
  clock.advance(CONFIRMED_FOR_MS - 1);
  assertEquals(get(), ENTRY);
  clock.advance(1);
  assertEquals(get(), undefined);
  coherence.confirm(clock.now());
  assertEquals(get(), ENTRY, "all changes have been reported, so what is left is right");
});

Deno.test("LocalCoherence serves what was confirmed no longer ago than maxStaleMs while changes are not reported", () => {
  const { clock, coherence, tier, get, store } = setUp(60_000);
  coherence.resume(clock.now());
  tier.keep(KEY, ENTRY, undefined);
  clock.advance(10_000);
  coherence.suspend();
  clock.advance(49_999);
  assertEquals(get(), ENTRY);
  clock.advance(1);
  assertEquals(get(), undefined);
  coherence.resume(clock.now());
  assertEquals(store.get(KEY), undefined, "it may have changed meanwhile");
});

Deno.test("LocalCoherence serves nothing while the machine's clock is before the last confirmation", () => {
  const { clock, coherence, tier, get } = setUp(60_000);
  coherence.resume(clock.now() + 1);
  tier.keep(KEY, ENTRY, undefined);
  assertEquals(get(), undefined);
});

Deno.test("LocalCoherence serves remembered absence only while changes are reported", () => {
  const { clock, coherence, tier, get } = setUp(60_000);
  const policy = { localTtlMs: Infinity, negativeTtlMs: 60_000, refreshAhead: 0, jitter: 0 };
  const absent = cacheKey("n", "absent");
  const expired = cacheKey("n", "expired");
  const expiredEntry = { ...ENTRY, expiresAtMs: clock.now() };
  const all = () => [get(KEY, policy), get(absent, policy), get(expired, policy)];
  coherence.resume(clock.now());
  tier.keep(KEY, ENTRY, policy);
  tier.keepAbsence(absent, undefined, policy);
  tier.keepAbsence(expired, expiredEntry, policy);
  assertEquals(all(), [ENTRY, ABSENT, expiredEntry]);
  clock.advance(CONFIRMED_FOR_MS);
  assertEquals(all(), [ENTRY, undefined, undefined], "the last confirmation is too old");
  coherence.confirm(clock.now());
  assertEquals(all(), [ENTRY, ABSENT, expiredEntry]);
  coherence.suspend();
  assertEquals(all(), [ENTRY, undefined, undefined]);
  tier.keepAbsence(KEY, undefined, policy);
  assertEquals(
    get(KEY, policy),
    undefined,
    "absence is not kept now, and the entry that it would have replaced is gone",
  );
});
