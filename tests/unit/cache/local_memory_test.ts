import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { ABSENT, type LocalRead } from "../../../src/cache/local_memory.ts";
import { cacheKey } from "../../../src/core/key.ts";
import type { CopyPolicy } from "../../../src/core/policies.ts";
import { UNVERSIONED } from "../../../src/core/version.ts";
import { LruMemory } from "../../../src/store/memory/lru.ts";
import { localTier } from "../../support/cache/local_tier.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { seededRandom, withSeed } from "../../support/seeded_random.ts";

const KEY = cacheKey("n", "k");
const POLICY: CopyPolicy = { localTtlMs: 1000, negativeTtlMs: 500, refreshAhead: 0.8, jitter: 0 };

function setUp(random = () => 0.5) {
  const clock = new FakeClock();
  const memory = new LruMemory({ maxBytes: 10_000, maxEntryBytes: 10_000 }, clock);
  const local = localTier<string>(memory, clock, random);
  let renewals = 0;
  /** What memory answers under a policy. */
  const get = (policy: CopyPolicy | undefined = POLICY): LocalRead<string> =>
    local.get(KEY, policy, () => renewals++);
  return { clock, memory, local, get, renewals: () => renewals };
}

function entry(expiresAtMs = Infinity) {
  return { value: "v", expiresAtMs, version: UNVERSIONED };
}

Deno.test("LocalMemory.keep() keeps an entry without a policy itself, as long as it lives", () => {
  const { clock, local } = setUp();
  const get = () => local.get(KEY, undefined, () => assert(false, "renewed"));
  const kept = entry(clock.now() + 1_000_000);
  local.keep(KEY, kept, undefined);
  clock.advance(999_999);
  assertStrictEquals(get(), kept);
  clock.advance(1);
  assertEquals(get(), undefined);
  local.keepAbsence(KEY, undefined, undefined);
  assertEquals(get(), undefined, "absence is not remembered");
});

Deno.test("LocalMemory.delete() and clear() remove entries with and without a policy", () => {
  const { local } = setUp();
  for (const policy of [undefined, POLICY]) {
    for (const remove of [() => local.delete(KEY), () => local.clear()]) {
      local.keep(KEY, entry(), policy);
      assertEquals(local.get(KEY, policy, () => {}), entry());
      remove();
      assertEquals(local.get(KEY, policy, () => {}), undefined);
    }
  }
});

Deno.test("LocalMemory.keep() keeps an entry for the policy's time, and the entry keeps its own expiry", () => {
  const { clock, local, get } = setUp();
  const kept = entry(clock.now() + 60_000);
  local.keep(KEY, kept, POLICY);
  clock.advance(999);
  assertStrictEquals(get(), kept);
  clock.advance(1);
  assertEquals(get(), undefined);
});

Deno.test("LocalMemory.keep() keeps no copy beyond the entry's own expiry", () => {
  const { clock, local, get } = setUp();
  for (const localTtlMs of [1000, Infinity]) {
    const kept = entry(clock.now() + 100);
    local.keep(KEY, kept, { ...POLICY, localTtlMs });
    clock.advance(99);
    assertStrictEquals(get(), kept);
    clock.advance(1);
    assertEquals(get(), undefined);
  }
});

Deno.test("LocalMemory.get() asks one hit to renew a copy, from the policy's share of its time on", () => {
  const { clock, local, get, renewals } = setUp();
  local.keep(KEY, entry(), POLICY);
  clock.advance(799);
  assertEquals([get(), renewals()], [entry(), 0]);
  clock.advance(1);
  assertEquals([get(), renewals()], [entry(), 1]);
  assertEquals([get(), renewals()], [entry(), 1]);
});

Deno.test("LocalMemory.get() renews nothing if the entry ends with the copy, or the policy does not renew", () => {
  const cases: readonly [number, CopyPolicy][] = [
    [1000, POLICY],
    [Infinity, { ...POLICY, refreshAhead: 0 }],
    [Infinity, { ...POLICY, localTtlMs: Infinity }],
  ];
  for (const [ttlMs, policy] of cases) {
    const { clock, local, get, renewals } = setUp();
    const kept = entry(clock.now() + ttlMs);
    local.keep(KEY, kept, policy);
    clock.advance(999);
    assertEquals([get(policy), renewals()], [kept, 0]);
  }
});

Deno.test("LocalMemory.keepAbsence() remembers for its time that there is no entry, and replaces a copy", () => {
  const { clock, local, get, renewals } = setUp();
  const expired = entry(clock.now());
  for (const found of [undefined, expired]) {
    local.keep(KEY, entry(), POLICY);
    local.keepAbsence(KEY, found, POLICY);
    clock.advance(499);
    assertStrictEquals(get(), found ?? ABSENT);
    clock.advance(1);
    assertEquals(get(), undefined);
  }
  assertEquals(renewals(), 0);
});

Deno.test("LocalMemory.keepAbsence() keeps nothing if the policy remembers no absence", () => {
  const { local, get } = setUp();
  local.keepAbsence(KEY, undefined, { ...POLICY, negativeTtlMs: 0 });
  assertEquals(get(), undefined);
});

Deno.test("LocalMemory.keepAbsence() takes no more memory than there is", () => {
  const { local, memory } = setUp();
  for (let index = 0; index < 1000; index++) local.keepAbsence(cacheKey("n", `${index}`), undefined, POLICY);
  assert(memory.usedBytes <= 10_000 && memory.entryCount > 0, `${memory.usedBytes} bytes`);
});

Deno.test("LocalMemory.keep() spreads the ends of copies that are kept as long as their entries live", async () => {
  await withSeed((seed) => {
    const { clock, local, get } = setUp(seededRandom(seed));
    const policy = { ...POLICY, localTtlMs: Infinity, jitter: 0.2 };
    const ends = Array.from({ length: 200 }, () => {
      const startMs = clock.now();
      local.keep(KEY, { ...entry(), expiresAtMs: startMs + 1000 }, policy);
      while (get() !== undefined) clock.advance(1);
      return clock.now() - startMs;
    });
    assert(Math.min(...ends) >= 800 && Math.max(...ends) <= 1000, "between 80 % and all of the entry's time");
    assert(new Set(ends).size > 20);
    local.keep(KEY, entry(), policy);
    clock.advance(1_000_000_000);
    assert(get() !== undefined, "no end, no jitter");
    return Promise.resolve();
  });
});

Deno.test("LocalMemory spreads the ends of copies over the policy's jitter, and delays none", async () => {
  await withSeed((seed) => {
    const { clock, local, get } = setUp(seededRandom(seed));
    const policy = { ...POLICY, jitter: 0.2 };
    const localTtlMs = (keep: () => void) => {
      const startMs = clock.now();
      keep();
      while (get() !== undefined) clock.advance(1);
      return clock.now() - startMs;
    };
    const rounds = Array.from({ length: 200 });
    const kept = rounds.map(() => localTtlMs(() => local.keep(KEY, entry(), policy)));
    assert(Math.min(...kept) >= 800 && Math.max(...kept) <= 1000, "between 80 % and all of the time");
    assert(Math.min(...kept) < 850 && Math.max(...kept) > 950, "all over that");
    const absent = rounds.map(() => localTtlMs(() => local.keepAbsence(KEY, undefined, policy)));
    assert(Math.min(...absent) >= 400 && Math.max(...absent) <= 500);
    assert(new Set(absent).size > 20);
    return Promise.resolve();
  });
});
