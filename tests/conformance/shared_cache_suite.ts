/**
 * What every shared cache of secrets must do, writer by writer; shared_cache_model.ts has random schedules of
 * many. Writers are named by letters here, and each has one intent.
 */
import { assert, assertEquals } from "@std/assert";
import type { Entry } from "../../src/core/entry.ts";
import { secretCacheKey } from "../../src/core/key.ts";
import type { SharedCache } from "../../src/core/ports.ts";
import type { Secret } from "../../src/core/secret.ts";
import { endOf, type Version } from "../../src/core/version.ts";
import { waitFor } from "../support/wait_for.ts";
import { secretEntry, version } from "./secret_entry.ts";
import { sharedCacheModel } from "./shared_cache_model.ts";

/** A cache under test, with what the tests do to it from outside; closed by its disposal. */
export interface OpenSharedCache extends AsyncDisposable {
  readonly store: SharedCache<Secret>;
  /** The same cache through a process whose tombstones stand, and whose intents count, this long. */
  withTombstoneTtl(ttlMs: number): SharedCache<Secret>;
  /** Loses what is under the key, as an eviction or FLUSHALL does. */
  lose(): Promise<void>;
  /** The time that the key has left: Infinity when it never expires, 0 when it is not there. */
  timeLeftMs(): Promise<number>;
}

/** The one key that the tests use. */
export const KEY = secretCacheKey("alice");

/** How long the tombstones of {@link OpenSharedCache.store} stand. */
export const TOMBSTONE_TTL_MS = 60_000;

const SIGNAL = new AbortController().signal;
const HOUR_MS = 3_600_000;

const V1 = version(1, 1);
const V2 = version(1, 2);
const V3 = version(1, 3);

/** One step of a schedule, by the writer that takes it. */
type Step =
  | { readonly announce: string }
  | { readonly publish: string; readonly at: Version }
  | { readonly bury: string; readonly at?: Version }
  | { readonly fill: Version }
  | "lose";

/** A schedule and what readers find after its last step. */
interface Case {
  readonly title: string;
  readonly steps: readonly Step[];
  readonly found: Version | "tombstone" | undefined;
}

const CASES: readonly Case[] = [
  { title: "resolves to undefined for a key that was never written", steps: [], found: undefined },
  { title: "finds a tombstone once a change is announced", steps: [{ announce: "A" }], found: "tombstone" },
  {
    title: "finds a tombstone where an announcement took an entry's place",
    steps: [{ fill: V1 }, { announce: "A" }],
    found: "tombstone",
  },
  {
    title: "finds what the only writer published",
    steps: [{ announce: "A" }, { publish: "A", at: V1 }],
    found: V1,
  },
  {
    title: "finds a tombstone after a delete",
    steps: [{ announce: "A" }, { bury: "A", at: endOf(1) }],
    found: "tombstone",
  },
  {
    title: "finds a tombstone after the delete of what was not there",
    steps: [{ announce: "A" }, { bury: "A" }],
    found: "tombstone",
  },
  {
    title: "finds a tombstone after a delete that nobody announced",
    steps: [{ fill: V1 }, { bury: "A" }],
    found: "tombstone",
  },
  { title: "finds what was filled into nothing", steps: [{ fill: V1 }], found: V1 },
  {
    title: "finds the newer of two fills, first the older",
    steps: [{ fill: V1 }, { fill: V2 }],
    found: V2,
  },
  {
    title: "finds the newer of two fills, first the newer",
    steps: [{ fill: V2 }, { fill: V1 }],
    found: V2,
  },
  {
    title: "never finds a fill over an announcement",
    steps: [{ announce: "A" }, { fill: V2 }],
    found: "tombstone",
  },
  {
    title: "never finds a fill over a delete, however new",
    steps: [{ announce: "A" }, { bury: "A", at: V1 }, { fill: version(9, 9) }],
    found: "tombstone",
  },
  {
    title: "never finds a late fill that is older than what was published",
    steps: [{ announce: "A" }, { publish: "A", at: V2 }, { fill: V1 }],
    found: V2,
  },
  {
    title: "finds a later fill that is newer than what was published",
    steps: [{ announce: "A" }, { publish: "A", at: V1 }, { fill: V2 }],
    found: V2,
  },
  {
    title: "never finds the first of two writers while the second is not done",
    steps: [{ announce: "A" }, { announce: "B" }, { publish: "A", at: V2 }],
    found: "tombstone",
  },
  {
    title: "finds the last of two writers that overlap",
    steps: [{ announce: "A" }, { announce: "B" }, { publish: "A", at: V2 }, { publish: "B", at: V3 }],
    found: V3,
  },
  {
    title: "finds no entry when the last of two writers has the older version",
    steps: [{ announce: "A" }, { announce: "B" }, { publish: "B", at: V3 }, { publish: "A", at: V2 }],
    found: "tombstone",
  },
  {
    title: "finds no entry of a write that a delete has overtaken",
    steps: [{ announce: "A" }, { announce: "B" }, { bury: "B", at: endOf(1) }, { publish: "A", at: V2 }],
    found: "tombstone",
  },
  {
    title: "finds the entry that was created after a delete that ended first",
    steps: [{ announce: "A" }, { announce: "B" }, { bury: "B", at: endOf(1) }, {
      publish: "A",
      at: version(2, 1),
    }],
    found: version(2, 1),
  },
  {
    title: "finds a tombstone while the third of three writers is not done",
    steps: [
      { announce: "A" },
      { announce: "B" },
      { announce: "C" },
      { publish: "B", at: V2 },
      { publish: "A", at: V1 },
    ],
    found: "tombstone",
  },
  {
    title: "finds the newest of three writers that end in the order of their versions",
    steps: [
      { announce: "A" },
      { announce: "B" },
      { announce: "C" },
      { publish: "B", at: V1 },
      { publish: "A", at: V2 },
      { publish: "C", at: V3 },
    ],
    found: V3,
  },
  {
    title: "finds no entry of a writer that never announced itself",
    steps: [{ publish: "A", at: V2 }],
    found: "tombstone",
  },
  {
    title: "finds no entry of a writer whose announcement was lost",
    steps: [{ announce: "A" }, "lose", { publish: "A", at: V2 }],
    found: "tombstone",
  },
  {
    title: "finds no stale fill that came in behind a lost announcement",
    steps: [{ announce: "A" }, "lose", { fill: V1 }, { publish: "A", at: V2 }],
    found: "tombstone",
  },
  {
    title: "finds no entry that another writer published behind a lost announcement",
    steps: [{ announce: "A" }, "lose", { announce: "B" }, { publish: "B", at: V2 }, { publish: "A", at: V3 }],
    found: "tombstone",
  },
  {
    title: "finds a tombstone where the announcement of a delete was lost and the entry filled again",
    steps: [{ announce: "A" }, "lose", { fill: V1 }, { bury: "A", at: endOf(1) }],
    found: "tombstone",
  },
  {
    title: "finds what a writer published that began after the loss",
    steps: ["lose", { announce: "A" }, { publish: "A", at: V1 }],
    found: V1,
  },
];

/** Registers the tests, titled by `name`; `register` may tell the runner what they need. */
export function sharedCacheSuite(
  name: string,
  open: () => Promise<OpenSharedCache>,
  register: (title: string, test: () => Promise<void>) => void = Deno.test,
): void {
  for (const { title, steps, found } of CASES) {
    register(`${name}.read() ${title}`, async () => {
      await using cache = await open();
      for (const step of steps) await take(cache, step);
      const expected = typeof found === "object" ? secretEntry(KEY, found) : found;
      assertEquals(await cache.store.read(KEY, SIGNAL), expected);
    });
  }

  register(`${name}.publish() and fill() give an entry the time it has left`, async () => {
    await using cache = await open();
    const soonMs = Math.ceil(Date.now() / 1000) * 1000 + HOUR_MS;
    const put = [
      (entry: Entry<Secret>) => cache.store.fill(KEY, entry, SIGNAL),
      async (entry: Entry<Secret>) => {
        await cache.store.announce(KEY, intentOf("A"), SIGNAL);
        await cache.store.publish(KEY, intentOf("A"), entry, SIGNAL);
      },
    ];
    for (const each of put) {
      await cache.lose();
      await each(secretEntry(KEY, V1, soonMs));
      assertNear(await cache.timeLeftMs(), soonMs - Date.now());
      const found = await cache.store.read(KEY, SIGNAL);
      assert(typeof found === "object");
      assertNear(found.expiresAtMs, soonMs);
      await cache.lose();
      await each(secretEntry(KEY, V1));
      assertEquals(await cache.timeLeftMs(), Infinity);
    }
  });

  register(`${name}.fill() of an entry that expires meanwhile leaves nothing behind`, async () => {
    await using cache = await open();
    await cache.store.fill(KEY, secretEntry(KEY, V1, Date.now() - HOUR_MS), SIGNAL);
    await waitFor(async () => await cache.store.read(KEY, SIGNAL) === undefined, { what: "its end" });
    assertEquals(await cache.timeLeftMs(), 0);
  });

  register(
    `${name} lets every tombstone stand for its own time, over entries that never expire`,
    async () => {
      await using cache = await open();
      const leave: readonly Step[] = [{ announce: "A" }, { bury: "A", at: V1 }, { publish: "B", at: V1 }];
      for (const step of leave) {
        await cache.lose();
        await take(cache, { fill: V1 });
        await take(cache, step);
        assertNear(await cache.timeLeftMs(), TOMBSTONE_TTL_MS);
      }
    },
  );

  register(`${name} forgets a tombstone in the end, and fills again`, async () => {
    await using cache = await open();
    await cache.withTombstoneTtl(1).announce(KEY, intentOf("A"), SIGNAL);
    await waitFor(async () => await cache.store.read(KEY, SIGNAL) === undefined, { what: "the end" });
    await take(cache, { fill: V1 });
    assertEquals(await cache.store.read(KEY, SIGNAL), secretEntry(KEY, V1));
  });

  register(`${name} waits for no writer longer than its intent counts`, async () => {
    await using cache = await open();
    await cache.withTombstoneTtl(20).announce(KEY, intentOf("A"), SIGNAL);
    await take(cache, { announce: "B" });
    const deadlineMs = Date.now() + 100;
    await waitFor(() => Date.now() > deadlineMs, { what: "the intent of A to be given up" });
    await take(cache, { publish: "B", at: V2 });
    assertEquals(await cache.store.read(KEY, SIGNAL), secretEntry(KEY, V2));
    await take(cache, { publish: "A", at: V3 });
    assertEquals(await cache.store.read(KEY, SIGNAL), "tombstone");
  });

  register(`${name} tells versions apart to the last digit`, async () => {
    const last = Number.MAX_SAFE_INTEGER;
    const ordered = [version(1, 9), version(1, 10), endOf(1), version(2, 1), version(last - 1, 1)];
    await using cache = await open();
    for (const each of [...ordered, ...ordered]) await take(cache, { fill: each });
    assertEquals(await cache.store.read(KEY, SIGNAL), secretEntry(KEY, version(last - 1, 1)));
  });

  register(`${name} gives every text of a secret back as it was`, async () => {
    await using cache = await open();
    const texts = Array.from({ length: 0x250 }, (_, code) => String.fromCharCode(code)).join("");
    const { value, ...rest } = secretEntry(KEY, V1);
    const entry = { ...rest, value: { ...value, name: texts, description: '\u{1f511}\ufeff\u2028%\\"' } };
    await cache.store.fill(KEY, entry, SIGNAL);
    assertEquals(await cache.store.read(KEY, SIGNAL), entry);
  });

  register(`${name} keeps keys apart that differ in case, spaces or the place of a colon`, async () => {
    await using cache = await open();
    const keys = ["a", "A", "a ", "a:", ":a", "ä", "a\u0308", "{a}", "*", "k".repeat(253)].map(
      secretCacheKey,
    );
    for (const each of keys) await cache.store.fill(each, secretEntry(each, V1), SIGNAL);
    for (const each of keys) assertEquals(await cache.store.read(each, SIGNAL), secretEntry(each, V1));
  });

  sharedCacheModel(name, open, register);
}

function take({ store, lose }: OpenSharedCache, step: Step): Promise<void> {
  if (step === "lose") return lose();
  if ("announce" in step) return store.announce(KEY, intentOf(step.announce), SIGNAL);
  if ("publish" in step) {
    return store.publish(KEY, intentOf(step.publish), secretEntry(KEY, step.at), SIGNAL);
  }
  if ("bury" in step) return store.bury(KEY, intentOf(step.bury), step.at, SIGNAL);
  return store.fill(KEY, secretEntry(KEY, step.fill), SIGNAL);
}

/** A UUID that stands for a writer. */
function intentOf(writer: string): string {
  return `00000000-0000-4000-8000-${writer.charCodeAt(0).toString().padStart(12, "0")}`;
}

/** What two round trips may add on a busy machine. */
function assertNear(actualMs: number, expectedMs: number): void {
  const offByMs = Math.abs(actualMs - expectedMs);
  assert(offByMs < 2_000, `${actualMs} is ${offByMs} ms away from ${expectedMs}`);
}
