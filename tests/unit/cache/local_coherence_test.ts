import { assertEquals } from "@std/assert";
import { CONFIRMED_FOR_MS, LocalCoherence } from "../../../src/cache/local_coherence.ts";
import { type CacheKey, cacheKey } from "../../../src/core/key.ts";
import { UNVERSIONED } from "../../../src/core/version.ts";
import { LruMemory } from "../../../src/store/memory/lru.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { keptAs } from "../../support/cache/kept_as.ts";

const KEY = cacheKey("n", "k");
const ENTRY = { value: 1, expiresAtMs: Infinity, version: UNVERSIONED };

/** A coherence before a memory that may hold one entry; what drops from it is a chain of the test's own. */
function setUp(maxStaleMs = 0) {
  const clock = new FakeClock();
  const coherence = new LocalCoherence(clock, maxStaleMs);
  const store = new LruMemory({ maxBytes: 10_000, maxEntryBytes: 10_000 }, clock).store(keptAs(8));
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
  return { clock, coherence, local: coherence.wrap(store), store, dropped };
}

Deno.test("LocalCoherence keeps memory out of use until it is told of changes", () => {
  const { clock, coherence, local, store } = setUp(60_000);
  store.set(KEY, ENTRY);
  assertEquals(local.get(KEY), undefined);
  local.set(KEY, ENTRY);
  assertEquals(store.get(KEY), undefined, "what it would have replaced is gone");
  coherence.resume(clock.now());
  local.set(KEY, ENTRY);
  assertEquals(local.get(KEY), ENTRY);
});

Deno.test("LocalCoherence hands invalidations on, of one key and of all", () => {
  const { clock, coherence, local, dropped } = setUp();
  coherence.resume(clock.now());
  local.set(KEY, ENTRY);
  coherence.invalidate(KEY);
  assertEquals(local.get(KEY), undefined);
  coherence.invalidateAll();
  assertEquals(dropped, ["all", KEY, "all"]);
});

Deno.test("LocalCoherence.suspend() empties memory, and resume() once more", () => {
  const { clock, coherence, local, store, dropped } = setUp();
  coherence.resume(clock.now());
  local.set(KEY, ENTRY);
  coherence.suspend();
  assertEquals([store.get(KEY), dropped.length], [undefined, 2]);
  coherence.resume(clock.now());
  assertEquals(dropped, ["all", "all", "all"]);
});

Deno.test("LocalCoherence bypasses memory without a confirmation, and not a millisecond before that", () => {
  const { clock, coherence, local } = setUp();
  coherence.resume(clock.now());
  local.set(KEY, ENTRY);
  clock.advance(CONFIRMED_FOR_MS - 1);
  assertEquals(local.get(KEY), ENTRY);
  clock.advance(1);
  assertEquals(local.get(KEY), undefined);
  coherence.confirm(clock.now());
  assertEquals(local.get(KEY), ENTRY, "all that was changed has been told, so what is left is right");
});

Deno.test("LocalCoherence serves what was confirmed no longer ago than maxStaleMs while it is not told of changes", () => {
  const { clock, coherence, local, store } = setUp(60_000);
  coherence.resume(clock.now());
  local.set(KEY, ENTRY);
  clock.advance(10_000);
  coherence.suspend();
  clock.advance(49_999);
  assertEquals(local.get(KEY), ENTRY);
  clock.advance(1);
  assertEquals(local.get(KEY), undefined);
  coherence.resume(clock.now());
  assertEquals(store.get(KEY), undefined, "it may have changed meanwhile");
});

Deno.test("LocalCoherence serves nothing while the machine's clock stands before the last confirmation", () => {
  const { clock, coherence, local } = setUp(60_000);
  coherence.resume(clock.now() + 1);
  local.set(KEY, ENTRY);
  assertEquals(local.get(KEY), undefined);
});

Deno.test("LocalCoherence.wrapCopies() serves what is not there only while it is told of changes", () => {
  const clock = new FakeClock();
  const coherence = new LocalCoherence(clock, 60_000);
  const store = new LruMemory({ maxBytes: 10_000, maxEntryBytes: 10_000 }, clock)
    .store<{ readonly isThere: boolean }>(keptAs(8));
  const local = coherence.wrapCopies(store);
  const there = { ...ENTRY, value: { isThere: true } };
  const absent = { ...ENTRY, value: { isThere: false } };
  const other = cacheKey("n", "other");
  coherence.resume(clock.now());
  local.set(KEY, there);
  local.set(other, absent);
  assertEquals([local.get(KEY), local.get(other)], [there, absent]);
  clock.advance(CONFIRMED_FOR_MS);
  assertEquals([local.get(KEY), local.get(other)], [there, undefined], "the last confirmation is too old");
  coherence.confirm(clock.now());
  assertEquals([local.get(KEY), local.get(other)], [there, absent]);
  coherence.suspend();
  assertEquals([local.get(KEY), local.get(other)], [there, undefined]);
});
