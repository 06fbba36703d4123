/** What every local store must do; a new one is done when its three-line test file passes. */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { Entry } from "../../src/core/entry.ts";
import { type CacheKey, cacheKey } from "../../src/core/key.ts";
import type { LocalStore } from "../../src/core/ports.ts";
import { UNVERSIONED } from "../../src/core/version.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { seededRandom, withSeed } from "../support/seeded_random.ts";

/** How much a store under test may hold. */
export interface LocalLimits {
  readonly maxBytes: number;
  readonly maxEntryBytes: number;
}

/** A store under test, with its own figures. */
export interface OpenLocalStore {
  readonly store: LocalStore<Uint8Array>;
  /** A store of another kind of entries in the same memory. */
  readonly sibling: LocalStore<string>;
  usedBytes(): number;
}

const ROOMY: LocalLimits = { maxBytes: 1_000_000, maxEntryBytes: 100_000 };
/** An empty value, small ones, and those that a store may keep apart from them. */
const VALUE_SIZES = [0, 1, 7, 8, 100, 4_000, 4_080, 4_081, 60_000];
const A = cacheKey("shop", "a");
const B = cacheKey("shop", "b");
const C = cacheKey("shop", "c");
const D = cacheKey("shop", "d");

/** Registers the tests, titled by `name`. */
export function localStoreSuite(
  name: string,
  open: (limits: LocalLimits, clock: FakeClock) => OpenLocalStore,
): void {
  Deno.test(`${name}.get() gives the entry that was set, and undefined for any other key`, () => {
    const { store } = open(ROOMY, new FakeClock());
    const entry = entryOf(10);
    store.set(A, entry);
    assertEquals(store.get(A), entry);
    assertEquals(store.get(B), undefined);
  });

  Deno.test(`${name}.set() replaces, and delete() removes only its own key`, () => {
    const { store } = open(ROOMY, new FakeClock());
    const newer = entryOf(20);
    store.set(A, entryOf(10));
    store.set(A, newer);
    store.set(B, entryOf(30));
    assertEquals(store.get(A), newer);
    store.delete(B);
    store.delete(C);
    assertEquals(store.get(A), newer);
    assertEquals(store.get(B), undefined);
  });

  Deno.test(`${name}.get() forgets an entry at its expiry, not a millisecond before`, () => {
    const clock = new FakeClock();
    const { store } = open(ROOMY, clock);
    store.set(A, entryOf(10, clock.now() + 1_000));
    clock.advance(999);
    assert(store.get(A) !== undefined);
    clock.advance(1);
    assertEquals(store.get(A), undefined);
  });

  Deno.test(`${name} sets no timer, gives the room of what it found expired back, and keeps the rest`, () => {
    const clock = new FakeClock();
    const { store, usedBytes } = open(ROOMY, clock);
    const forever = entryOf(10);
    store.set(A, forever);
    const usedByOne = usedBytes();
    store.set(B, entryOf(10, clock.now() + 1));
    assertEquals(clock.pendingTimers, 0);
    clock.advance(100 * 365 * 24 * 3_600_000);
    assertEquals(store.get(B), undefined);
    assertEquals(store.get(A), forever);
    assertEquals(usedBytes(), usedByOne);
  });

  Deno.test(`${name} counts keys, values and bookkeeping, and nothing that is gone`, () => {
    const { store, usedBytes } = open(ROOMY, new FakeClock());
    assertEquals(usedBytes(), 0);
    store.set(A, entryOf(1_000));
    const used = usedBytes();
    assert(used > 1_000 + A.length, `${used} bytes`);
    store.set(A, entryOf(1_500));
    const more = usedBytes() - used;
    assert(more >= 500 && more <= 600, `${more} bytes more`);
    store.set(cacheKey("shop", "a".repeat(101)), entryOf(1_000));
    assertEquals(usedBytes(), used + more + used + 100);
    store.delete(A);
    assertEquals(usedBytes(), used + 100);
  });

  Deno.test(`${name} counts two bytes a character for a key that is not Latin`, () => {
    const { store, usedBytes } = open(ROOMY, new FakeClock());
    const latin = cacheKey("shop", "é".repeat(100));
    store.set(latin, entryOf(10));
    const used = usedBytes();
    store.set(cacheKey("shop", "键".repeat(100)), entryOf(10));
    assertEquals(usedBytes(), used + used + latin.length);
  });

  Deno.test(`${name}.get() makes no copy of a value`, () => {
    const { store } = open(ROOMY, new FakeClock());
    for (const valueBytes of VALUE_SIZES) {
      store.set(A, entryOf(valueBytes));
      const [first, second] = [store.get(A)!.value, store.get(A)!.value];
      assertStrictEquals(first.buffer, second.buffer);
      assertEquals(first.byteOffset, second.byteOffset);
    }
  });

  Deno.test(`${name} keeps a value as it was set, whatever its size, expiry and version`, () => {
    const clock = new FakeClock();
    const { store } = open(ROOMY, clock);
    for (const valueBytes of VALUE_SIZES) {
      for (const expiresAtMs of [Infinity, clock.now() + 1, clock.now() + 0.5]) {
        for (const version of [UNVERSIONED, { id: 2 ** 40, revision: 3 }]) {
          const entry = { value: randomBytes(valueBytes, () => 0.7), expiresAtMs, version };
          store.set(A, entry);
          assertEquals(store.get(A), entry);
        }
      }
    }
  });

  Deno.test(`${name} does not keep alive the buffer that a value is a view into`, () => {
    const { store } = open(ROOMY, new FakeClock());
    for (const valueBytes of VALUE_SIZES) {
      const received = randomBytes(1_000_000, () => 0.7);
      const entry = { ...entryOf(0), value: received.subarray(5, 5 + valueBytes) };
      store.set(A, entry);
      assertEquals(store.get(A), entry);
      assert(store.get(A)!.value.buffer.byteLength < received.length, `${valueBytes} bytes`);
    }
  });

  Deno.test(`${name}.get() gives what stays as it is, whatever becomes of the store`, () =>
    withSeed((seed) => {
      const random = seededRandom(seed);
      const { store } = open({ maxBytes: 300_000, maxEntryBytes: 20_000 }, new FakeClock());
      const held: { readonly value: Uint8Array; readonly copy: Uint8Array }[] = [];
      for (let step = 0; step < 20_000; step++) {
        const key = cacheKey("n", `${Math.floor(random() * 2_000)}`);
        const chance = random();
        if (chance < 0.7) {
          store.set(key, { ...entryOf(0), value: randomBytes(random() ** 4 * 6_000, random) });
        } else if (chance < 0.8) store.delete(key);
        else if (chance < 0.801) store.clear();
        const value = store.get(key)?.value;
        if (value !== undefined && held.length < 1_000) held.push({ value, copy: new Uint8Array(value) });
      }
      for (const { value, copy } of held) assertEquals(value, copy);
      assertEquals(held.length, 1_000);
      return Promise.resolve();
    }));

  Deno.test(`${name} makes room by the entries that were used longest ago`, () => {
    const { store } = open(roomFor(3), new FakeClock());
    for (const key of [A, B, C]) store.set(key, entryOf(1_000));
    store.get(A);
    store.set(B, entryOf(1_000));
    store.set(D, entryOf(1_000));
    assertEquals(kept(store, [A, B, C, D]), [A, B, D]);
  });

  Deno.test(`${name} makes room by several small entries for a large one`, () => {
    const { store } = open(roomFor(4), new FakeClock());
    for (const key of [A, B, C]) store.set(key, entryOf(1_000));
    store.set(D, entryOf(3_000));
    assertEquals(kept(store, [A, B, C, D]), [C, D]);
  });

  Deno.test(`${name} keeps no entry that is too large, and not the one that it was to replace`, () => {
    const limits = { ...ROOMY, maxEntryBytes: 2_000 };
    const { store, usedBytes } = open(limits, new FakeClock());
    store.set(A, entryOf(10));
    store.set(B, entryOf(10));
    store.set(A, entryOf(2_000));
    assertEquals(kept(store, [A, B]), [B]);
    assertEquals(usedBytes(), bytesOfOne(open, entryOf(10)));
  });

  Deno.test(`${name} has one budget for entries of all kinds`, () => {
    const { store, sibling } = open(roomFor(2), new FakeClock());
    store.set(A, entryOf(1_000));
    store.set(B, entryOf(1_000));
    sibling.set(C, { ...entryOf(0), value: "x".repeat(1_000) });
    assertEquals(kept(store, [A, B]), [B]);
    assertEquals(sibling.get(C)?.value.length, 1_000);
  });

  Deno.test(`${name}.clear() leaves nothing, and the store goes on`, () => {
    const { store, usedBytes } = open(ROOMY, new FakeClock());
    for (const key of [A, B, C]) store.set(key, entryOf(10));
    store.clear();
    assertEquals(kept(store, [A, B, C]), []);
    assertEquals(usedBytes(), 0);
    store.set(A, entryOf(10));
    assertEquals(kept(store, [A]), [A]);
  });

  Deno.test(`${name} never holds more than it may, nor what was replaced, deleted or has expired`, () =>
    withSeed((seed) => {
      const random = seededRandom(seed);
      const clock = new FakeClock();
      const limits = { maxBytes: 20_000, maxEntryBytes: 6_000 };
      const { store, usedBytes } = open(limits, clock);
      const model = new Map<CacheKey, Entry<Uint8Array>>();
      for (let step = 0; step < 5_000; step++) {
        const key = cacheKey("n", `${Math.floor(random() * 30)}`);
        const chance = random();
        if (chance < 0.4) {
          const entry: Entry<Uint8Array> = {
            value: randomBytes(random() * 8_000, random),
            expiresAtMs: clock.now() + Math.ceil(random() * 200),
            version: UNVERSIONED,
          };
          store.set(key, entry);
          model.set(key, entry);
        } else if (chance < 0.5) {
          store.delete(key);
          model.delete(key);
        } else clock.advance(Math.floor(random() * 5));
        const found = store.get(key);
        if (found !== undefined) {
          assertEquals(found, model.get(key), `step ${step}: an entry that was replaced`);
        }
        assert(found === undefined || found.expiresAtMs > clock.now(), `step ${step}: an expired entry`);
        assert(usedBytes() <= limits.maxBytes, `step ${step}: ${usedBytes()} bytes`);
      }
      return Promise.resolve();
    }));

  /** Limits into which exactly `count` entries of 1,000 bytes fit. */
  function roomFor(count: number): LocalLimits {
    const maxBytes = count * bytesOfOne(open, entryOf(1_000));
    return { maxBytes, maxEntryBytes: maxBytes };
  }
}

/** What one entry takes in a store. */
function bytesOfOne(
  open: (limits: LocalLimits, clock: FakeClock) => OpenLocalStore,
  entry: Entry<Uint8Array>,
) {
  const { store, usedBytes } = open(ROOMY, new FakeClock());
  store.set(A, entry);
  return usedBytes();
}

function entryOf(valueBytes: number, expiresAtMs = Infinity): Entry<Uint8Array> {
  return { value: new Uint8Array(valueBytes), expiresAtMs, version: UNVERSIONED };
}

function randomBytes(length: number, random: () => number): Uint8Array {
  return Uint8Array.from({ length }, () => random() * 256);
}

function kept(store: LocalStore<unknown>, keys: readonly CacheKey[]): CacheKey[] {
  return keys.filter((key) => store.get(key) !== undefined);
}
