/** What every authority of namespaced entries must do; a new one is done when its three-line test file passes. */
import { assert, assertEquals } from "@std/assert";
import type { EntryChange } from "../../src/core/entry.ts";
import { type CacheKey, cacheKey } from "../../src/core/key.ts";
import type { Authority } from "../../src/core/ports.ts";
import { UNVERSIONED } from "../../src/core/version.ts";
import type { FakeClock } from "../support/fake_clock.ts";
import { seededRandom, withSeed } from "../support/seeded_random.ts";

/** A store under test, closed by its disposal. The clock is there if the test can move it. */
export interface OpenEntryStore extends AsyncDisposable {
  readonly store: Authority<Uint8Array, EntryChange>;
  readonly clock?: FakeClock;
}

const HOUR_MS = 3_600_000;
const SIGNAL = new AbortController().signal;
const key = cacheKey("shop", "a");

/** Registers the tests, titled by `name`; `register` may tell the runner what they need. */
export function authorityEntrySuite(
  name: string,
  open: () => Promise<OpenEntryStore>,
  register: (title: string, test: () => Promise<void>) => void = Deno.test,
): void {
  register(`${name}.read() resolves to undefined for a key that was never written`, async () => {
    await using opened = await open();
    assertEquals(await opened.store.read(key, SIGNAL), undefined);
  });

  register(`${name}.write() resolves to the entry, and read() gives its bytes back`, async () => {
    await using opened = await open();
    const value = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const entry = { value, expiresAtMs: Infinity, version: UNVERSIONED };
    assertEquals(await opened.store.write(key, { value, expiresAtMs: Infinity }, SIGNAL), entry);
    assertEquals(await readBytes(opened.store, key), value);
  });

  register(`${name}.write() replaces value and expiry`, async () => {
    await using opened = await open();
    const expiresAtMs = soon(opened);
    await opened.store.write(key, { value: bytes("old"), expiresAtMs }, SIGNAL);
    await opened.store.write(key, { value: bytes("new"), expiresAtMs: Infinity }, SIGNAL);
    const entry = await opened.store.read(key, SIGNAL);
    assertEquals(entry?.expiresAtMs, Infinity);
    assertEquals(await readBytes(opened.store, key), bytes("new"));
  });

  register(`${name}.read() gives the time of expiry to within what a round trip may add`, async () => {
    await using opened = await open();
    const expiresAtMs = soon(opened);
    await opened.store.write(key, { value: bytes("v"), expiresAtMs }, SIGNAL);
    const entry = await opened.store.read(key, SIGNAL);
    assert(entry !== undefined);
    const offByMs = entry.expiresAtMs - expiresAtMs;
    assert(Math.abs(offByMs) <= (opened.clock === undefined ? 1_000 : 0), `off by ${offByMs} ms`);
  });

  register(`${name} keeps empty, large and shared-buffer values`, async () => {
    await using opened = await open();
    const large = new Uint8Array(1 << 20).map((_, i) => (i * 31) & 0xff);
    const buffer = bytes("xxvaluexx");
    for (const value of [new Uint8Array(0), large, buffer.subarray(2, 7)]) {
      await opened.store.write(key, { value, expiresAtMs: Infinity }, SIGNAL);
      assertEquals(await readBytes(opened.store, key), new Uint8Array(value));
    }
  });

  register(`${name}.read() gives bytes that belong to the caller`, async () => {
    await using opened = await open();
    await opened.store.write(key, { value: bytes("value"), expiresAtMs: Infinity }, SIGNAL);
    const first = await opened.store.read(key, SIGNAL);
    assert(first !== undefined);
    first.value.fill(0);
    assertEquals(await readBytes(opened.store, key), bytes("value"));
  });

  register(`${name}.remove() removes the entry, and is fine where there is none`, async () => {
    await using opened = await open();
    await opened.store.write(key, { value: bytes("v"), expiresAtMs: Infinity }, SIGNAL);
    await opened.store.remove(key, SIGNAL);
    assertEquals(await opened.store.read(key, SIGNAL), undefined);
    await opened.store.remove(key, SIGNAL);
    assertEquals(await opened.store.read(key, SIGNAL), undefined);
  });

  register(`${name} forgets an entry at its expiry, not a millisecond before`, async () => {
    await using opened = await open();
    if (opened.clock === undefined) {
      await opened.store.write(key, { value: bytes("v"), expiresAtMs: 1 }, SIGNAL);
    } else {
      await opened.store.write(key, { value: bytes("v"), expiresAtMs: opened.clock.now() + 1_000 }, SIGNAL);
      opened.clock.advance(999);
      assertEquals(await readBytes(opened.store, key), bytes("v"));
      opened.clock.advance(1);
    }
    assertEquals(await opened.store.read(key, SIGNAL), undefined);
  });

  register(
    `${name} keeps keys apart that differ in case, spaces, quotes or the place of a colon`,
    async () => {
      await using opened = await open();
      const keys = [
        ...["a", "A", "a ", " a", "ä", "a\u0308", "a'", 'a"', "a%", "a_", "a\\", "😀", "K".repeat(1024)]
          .map((text) => cacheKey("shop", text)),
        cacheKey("a:b", "c"),
        cacheKey("a", "b:c"),
        cacheKey("a%3Ab", "c"),
      ];
      await writeOwnNames(opened.store, keys);
      for (const each of keys) assertEquals(await readText(opened.store, each), each);
    },
  );

  register(`${name} agrees with a Map over random writes and removals`, async () => {
    await using opened = await open();
    await withSeed(async (seed) => {
      const random = seededRandom(seed);
      const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)]!;
      const alphabet = ["a", "A", " ", ":", "%", "ß", "日", "😀", "'", "\\", "*"];
      const text = () => Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(alphabet)).join("");
      const model = new Map<CacheKey, string>();
      for (let step = 0; step < 300; step++) {
        const each = cacheKey(`${seed}${text()}`, text());
        if (random() < 0.3) {
          model.delete(each);
          await opened.store.remove(each, SIGNAL);
        } else if (random() < 0.5) {
          model.set(each, `${step}`);
          await opened.store.write(each, { value: bytes(`${step}`), expiresAtMs: Infinity }, SIGNAL);
        }
        assertEquals(await readText(opened.store, each), model.get(each));
      }
      for (const [each, value] of model) assertEquals(await readText(opened.store, each), value);
    });
  });

  register(`${name}.ping() resolves while the store can answer`, async () => {
    await using opened = await open();
    await opened.store.ping(SIGNAL);
  });
}

/** An expiry in the near future of the store's own time. */
function soon({ clock }: OpenEntryStore): number {
  return (clock?.now() ?? Date.now()) + HOUR_MS;
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

async function writeOwnNames(
  store: Authority<Uint8Array, EntryChange>,
  keys: readonly CacheKey[],
): Promise<void> {
  for (const each of keys) await store.write(each, { value: bytes(each), expiresAtMs: Infinity }, SIGNAL);
}

/** The value as a plain Uint8Array, whatever subclass of it the driver gives. */
async function readBytes(store: Authority<Uint8Array, EntryChange>, key: CacheKey) {
  const entry = await store.read(key, SIGNAL);
  return entry === undefined ? undefined : new Uint8Array(entry.value);
}

async function readText(store: Authority<Uint8Array, EntryChange>, key: CacheKey) {
  const value = await readBytes(store, key);
  return value === undefined ? undefined : new TextDecoder().decode(value);
}
