import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { CopyPolicy } from "../../../src/cache/copy_policy.ts";
import { LocalCopies } from "../../../src/cache/local_copies.ts";
import { cacheKey } from "../../../src/core/key.ts";
import { UNVERSIONED } from "../../../src/core/version.ts";
import { LruMemory } from "../../../src/store/memory/lru.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { seededRandom, withSeed } from "../../support/seeded_random.ts";
import { keptAs } from "../../support/cache/kept_as.ts";

const KEY = cacheKey("n", "k");
const POLICY: CopyPolicy = { localTtlMs: 1000, negativeTtlMs: 500, refreshAhead: 0.8, jitter: 0 };

function setUp(random = () => 0.5) {
  const clock = new FakeClock();
  const memory = new LruMemory({ maxBytes: 10_000, maxEntryBytes: 10_000 }, clock);
  return { clock, memory, copies: new LocalCopies<string>(memory.store(keptAs(8)), clock, random) };
}

function entry(expiresAtMs = Infinity) {
  return { value: "v", expiresAtMs, version: UNVERSIONED };
}

Deno.test("LocalCopies.keep() keeps an entry for the policy's time, and the entry keeps its own expiry", () => {
  const { clock, copies } = setUp();
  const kept = entry(clock.now() + 60_000);
  copies.keep(KEY, kept, POLICY);
  clock.advance(999);
  assertStrictEquals(copies.get(KEY)?.found, kept);
  clock.advance(1);
  assertEquals(copies.get(KEY), undefined);
});

Deno.test("LocalCopies.keep() keeps no copy beyond the entry's own expiry", () => {
  const { clock, copies } = setUp();
  for (const localTtlMs of [1000, Infinity]) {
    copies.keep(KEY, entry(clock.now() + 100), { ...POLICY, localTtlMs });
    clock.advance(99);
    assert(copies.get(KEY)?.isThere);
    clock.advance(1);
    assertEquals(copies.get(KEY), undefined);
  }
});

Deno.test("LocalCopies.isDue() asks one hit to renew a copy, from the policy's share of its time on", () => {
  const { clock, copies } = setUp();
  copies.keep(KEY, entry(), POLICY);
  const copy = copies.get(KEY)!;
  clock.advance(799);
  assertEquals(copies.isDue(copy), false);
  clock.advance(1);
  assertEquals([copies.isDue(copy), copies.isDue(copy)], [true, false]);
});

Deno.test("LocalCopies.isDue() asks for nothing where the entry ends with the copy, or nothing is to be renewed", () => {
  const cases: readonly [number, CopyPolicy][] = [
    [1000, POLICY],
    [Infinity, { ...POLICY, refreshAhead: 0 }],
    [Infinity, { ...POLICY, localTtlMs: Infinity }],
  ];
  for (const [ttlMs, policy] of cases) {
    const { clock, copies } = setUp();
    copies.keep(KEY, entry(clock.now() + ttlMs), policy);
    const copy = copies.get(KEY)!;
    clock.advance(999);
    assertEquals(copies.isDue(copy), false);
  }
});

Deno.test("LocalCopies.keepAbsence() remembers for its time that nothing is there, in the place of a copy", () => {
  const { clock, copies } = setUp();
  const expired = entry(clock.now());
  for (const found of [undefined, expired]) {
    copies.keep(KEY, entry(), POLICY);
    copies.keepAbsence(KEY, found, POLICY);
    clock.advance(499);
    assertEquals(copies.get(KEY), { found, isThere: false, refreshAtMs: Infinity });
    clock.advance(1);
    assertEquals(copies.get(KEY), undefined);
  }
});

Deno.test("LocalCopies.keepAbsence() leaves nothing where nothing is to be remembered", () => {
  const { copies } = setUp();
  copies.keepAbsence(KEY, undefined, { ...POLICY, negativeTtlMs: 0 });
  assertEquals(copies.get(KEY), undefined);
});

Deno.test("LocalCopies.keepAbsence() takes no more memory than there is", () => {
  const { copies, memory } = setUp();
  for (let index = 0; index < 1000; index++) copies.keepAbsence(cacheKey("n", `${index}`), undefined, POLICY);
  assert(memory.usedBytes <= 10_000 && memory.entryCount > 0, `${memory.usedBytes} bytes`);
});

Deno.test("LocalCopies.keep() spreads the ends of copies that are kept as long as their entries live", async () => {
  await withSeed((seed) => {
    const { clock, copies } = setUp(seededRandom(seed));
    const policy = { ...POLICY, localTtlMs: Infinity, jitter: 0.2 };
    const ends = Array.from({ length: 200 }, () => {
      const startMs = clock.now();
      copies.keep(KEY, { ...entry(), expiresAtMs: startMs + 1000 }, policy);
      while (copies.get(KEY) !== undefined) clock.advance(1);
      return clock.now() - startMs;
    });
    assert(Math.min(...ends) >= 800 && Math.max(...ends) <= 1000, "between 80 % and all of the entry's time");
    assert(new Set(ends).size > 20);
    copies.keep(KEY, entry(), policy);
    clock.advance(1_000_000_000);
    assert(copies.get(KEY) !== undefined, "no end, no jitter");
    return Promise.resolve();
  });
});

Deno.test("LocalCopies spreads the ends of copies over the policy's jitter, and puts none off", async () => {
  await withSeed((seed) => {
    const { clock, copies } = setUp(seededRandom(seed));
    const policy = { ...POLICY, jitter: 0.2 };
    const localTtlMs = (keep: () => void) => {
      const startMs = clock.now();
      keep();
      while (copies.get(KEY) !== undefined) clock.advance(1);
      return clock.now() - startMs;
    };
    const rounds = Array.from({ length: 200 });
    const kept = rounds.map(() => localTtlMs(() => copies.keep(KEY, entry(), policy)));
    assert(Math.min(...kept) >= 800 && Math.max(...kept) <= 1000, "between 80 % and all of the time");
    assert(Math.min(...kept) < 850 && Math.max(...kept) > 950, "all over that");
    const absent = rounds.map(() => localTtlMs(() => copies.keepAbsence(KEY, undefined, policy)));
    assert(Math.min(...absent) >= 400 && Math.max(...absent) <= 500);
    assert(new Set(absent).size > 20);
    return Promise.resolve();
  });
});
