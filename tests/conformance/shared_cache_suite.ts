/**
 * What every shared cache of secrets must do, writer by writer; shared_cache_model.ts has random schedules of
 * many. Writers are named by letters here, and each has one intent.
 */
import { assert, assertEquals } from "@std/assert";
import type { Entry } from "../../src/core/entry.ts";
import { type CacheKey, secretCacheKey } from "../../src/core/key.ts";
import type { SharedCache } from "../../src/core/ports.ts";
import type { Secret } from "../../src/core/secret.ts";
import { endOf } from "../../src/core/version.ts";
import { waitFor } from "../support/wait_for.ts";
import type { FragileCache, OpenSharedCache } from "./fragile_cache.ts";
import { secretEntry, version } from "./secret_entry.ts";
import { CASES, type Step, V1, V2, V3 } from "./shared_cache_cases.ts";
import { sharedCacheModel } from "./shared_cache_model.ts";

/** The one key that most tests use. */
const KEY = secretCacheKey("alice");

/** More changes of a key at once than any cache keeps apart. */
const CROWD = 200;

/** How long the tombstones of {@link FragileCache.store} live. */
export const TOMBSTONE_TTL_MS = 60_000;

const SIGNAL = new AbortController().signal;
const HOUR_MS = 3_600_000;

/** Registers the tests, titled by `name`; `register` may tell the runner what they need. */
export function sharedCacheSuite(
  name: string,
  open: () => Promise<OpenSharedCache>,
  register: (title: string, test: () => Promise<void>) => void = Deno.test,
): void {
  const test = (title: string, run: (cache: FragileCache) => Promise<void>) =>
    register(`${name}${title}`, async () => {
      await using opened = await open();
      await run(opened.at(KEY));
    });

  for (const { title, steps, found } of CASES) {
    test(`.read() ${title}`, async (cache) => {
      await play(cache, steps);
      const expected = typeof found === "object" ? secretEntry(KEY, found) : found;
      assertEquals(await look(cache), expected);
    });
  }

  test(".publish() and fill() give an entry the time it has left", async (cache) => {
    const soonMs = Math.ceil(Date.now() / 1000) * 1000 + HOUR_MS;
    const put = [
      (entry: Entry<Secret>) => fill(cache, entry),
      async (entry: Entry<Secret>) => {
        await cache.store.announce(KEY, intentOf("A"), SIGNAL);
        await cache.store.publish(KEY, intentOf("A"), entry, SIGNAL);
      },
    ];
    for (const each of put) {
      await cache.lose("value", "lease");
      await each(secretEntry(KEY, V1, soonMs));
      assertNear(await cache.timeLeftMs(), soonMs - Date.now());
      const found = await look(cache);
      assert(typeof found === "object");
      assertNear(found.expiresAtMs, soonMs);
      await cache.lose("value", "lease");
      await each(secretEntry(KEY, V1));
      assertEquals(await cache.timeLeftMs(), Infinity);
    }
  });

  test(".fill() of an entry that expires meanwhile leaves nothing", async (cache) => {
    await fill(cache, secretEntry(KEY, V1, Date.now() - HOUR_MS));
    await waitFor(async () => await look(cache) === "nothing", { what: "its end" });
    assertEquals(await cache.timeLeftMs(), 0);
  });

  test(" lets every tombstone live for its own time, over entries that never expire", async (cache) => {
    const leave: readonly Step[] = [{ announce: "A" }, { writeTombstone: "A", at: V1 }, {
      publish: "B",
      at: V1,
    }];
    for (const step of leave) {
      await play(cache, ["flush", { fill: V1 }, step]);
      assertNear(await cache.timeLeftMs(), TOMBSTONE_TTL_MS);
    }
  });

  test(" forgets a tombstone in the end, and fills again", async (cache) => {
    await cache.withTombstoneTtl(1).announce(KEY, intentOf("A"), SIGNAL);
    await waitFor(async () => await look(cache) === "nothing", { what: "the end" });
    await play(cache, [{ fill: V1 }]);
    assertEquals(await look(cache), secretEntry(KEY, V1));
  });

  test(" waits for no writer longer than its intent counts", async (cache) => {
    await cache.withTombstoneTtl(20).announce(KEY, intentOf("A"), SIGNAL);
    await play(cache, [{ announce: "B" }]);
    const deadlineMs = Date.now() + 100;
    await waitFor(() => Date.now() > deadlineMs, { what: "the intent of A to be given up" });
    await play(cache, [{ publish: "B", at: V2 }]);
    assertEquals(await look(cache), secretEntry(KEY, V2));
    await play(cache, [{ publish: "A", at: V3 }]);
    assertEquals(await look(cache), "tombstone");
  });

  test(" publishes nothing while one of many changes may be under way", async (cache) => {
    const hasty = cache.withTombstoneTtl(1_000);
    const crowd = Array.from({ length: CROWD }, (_, index) => String.fromCharCode(0x100 + index));
    for (const writer of crowd) await hasty.announce(KEY, intentOf(writer), SIGNAL);
    // All but one have ended, which no longer matters to those that come later.
    for (const writer of crowd.slice(1)) await hasty.retract(KEY, intentOf(writer), SIGNAL);
    await hasty.announce(KEY, intentOf("A"), SIGNAL);
    await hasty.publish(KEY, intentOf("A"), secretEntry(KEY, V3), SIGNAL);
    assertEquals(await look(cache), "tombstone");
    await hasty.publish(KEY, intentOf(crowd[0]!), secretEntry(KEY, V2), SIGNAL);
    assertEquals(await look(cache), "tombstone");
    await waitFor(async () => await look(cache) === "nothing", { what: "the crowd to be given up" });
    await play(cache, [{ announce: "B" }, { publish: "B", at: V2 }]);
    assertEquals(await look(cache), secretEntry(KEY, V2));
  });

  test(" tells versions apart to the last digit", async (cache) => {
    const last = Number.MAX_SAFE_INTEGER;
    const ordered = [version(1, 9), version(1, 10), endOf(1), version(2, 1), version(last - 1, 1)];
    for (const [index, newer] of ordered.entries()) {
      for (const older of ordered.slice(0, index)) {
        await play(cache, ["flush", { announce: "A" }, { writeTombstone: "B", at: newer }, {
          publish: "A",
          at: older,
        }]);
        assertEquals(await look(cache), "tombstone");
      }
      await play(cache, ["flush", { announce: "A" }, { writeTombstone: "B", at: newer }, {
        publish: "A",
        at: newer,
      }]);
      assertEquals(await look(cache), secretEntry(KEY, newer));
    }
  });

  test(" gives every text of a secret back as it was", async (cache) => {
    const texts = Array.from({ length: 0x250 }, (_, code) => String.fromCharCode(code)).join("");
    const { value, ...rest } = secretEntry(KEY, V1);
    const entry = { ...rest, value: { ...value, name: texts, description: '\u{1f511}\ufeff\u2028%\\"' } };
    await fill(cache, entry);
    assertEquals(await look(cache), entry);
  });

  register(
    `${name} keeps keys apart that differ in case, spaces, braces or the place of a colon`,
    async () => {
      await using opened = await open();
      const names = [
        "a",
        "A",
        "a ",
        "a:",
        ":a",
        "ä",
        "a\u0308",
        "{a}",
        "{a}b",
        "{b}a",
        "{a",
        "*",
        "k".repeat(253),
      ];
      const keys = names.map(secretCacheKey);
      const { store } = opened.at(KEY);
      const leases = await Promise.all(keys.map((key) => leaseOf(store, key)));
      for (const [index, key] of keys.entries()) {
        await store.fill(key, leases[index]!, secretEntry(key, V1), SIGNAL);
      }
      for (const key of keys) assertEquals(await store.read(key, SIGNAL), secretEntry(key, V1));
    },
  );

  sharedCacheModel(name, open, register);
}

/** The lease of a reader that got none. */
const NO_LEASE = "no lease";

async function play(cache: FragileCache, steps: readonly Step[]): Promise<void> {
  const leases = new Map<string, string>();
  for (const step of steps) {
    const { store } = cache;
    if (step === "flush") await cache.lose("value", "lease");
    else if (step === "save") await cache.save();
    else if (step === "restart") await cache.restart();
    else if ("lose" in step) await cache.lose(...step.lose);
    else if ("announce" in step) await store.announce(KEY, intentOf(step.announce), SIGNAL);
    else if ("publish" in step) {
      await store.publish(KEY, intentOf(step.publish), secretEntry(KEY, step.at), SIGNAL);
    } else if ("writeTombstone" in step) {
      await store.writeTombstone(KEY, intentOf(step.writeTombstone), step.at, SIGNAL);
    } else if ("retract" in step) await store.retract(KEY, intentOf(step.retract), SIGNAL);
    else if ("look" in step) leases.set(step.look, await leaseOf(store, KEY));
    else {
      const lease = step.by === undefined ? await leaseOf(store, KEY) : leases.get(step.by)!;
      await store.fill(KEY, lease, secretEntry(KEY, step.fill), SIGNAL);
    }
  }
}

/** What a reader finds, "nothing" with whatever lease. */
async function look({ store }: FragileCache): Promise<Entry<Secret> | "tombstone" | "nothing"> {
  const found = await store.read(KEY, SIGNAL);
  return typeof found === "object" && "lease" in found ? "nothing" : found;
}

async function leaseOf(store: SharedCache<Secret>, key: CacheKey): Promise<string> {
  const found = await store.read(key, SIGNAL);
  return typeof found === "object" && "lease" in found ? found.lease ?? NO_LEASE : NO_LEASE;
}

async function fill({ store }: FragileCache, entry: Entry<Secret>): Promise<void> {
  await store.fill(KEY, await leaseOf(store, KEY), entry, SIGNAL);
}

/** A UUID for a writer. */
function intentOf(writer: string): string {
  return `00000000-0000-4000-8000-${writer.charCodeAt(0).toString().padStart(12, "0")}`;
}

/** What two round trips may add on a busy machine. */
function assertNear(actualMs: number, expectedMs: number): void {
  const offByMs = Math.abs(actualMs - expectedMs);
  assert(offByMs < 2_000, `${actualMs} is ${offByMs} ms away from ${expectedMs}`);
}
