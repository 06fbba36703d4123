import { assertEquals } from "@std/assert";
import { Backfill, CONCURRENT_FILLS, MAX_WAIT_MS } from "../../../src/cache/backfill.ts";
import { Fences } from "../../../src/cache/fences.ts";
import { type CacheKey, cacheKey } from "../../../src/core/key.ts";
import { UNVERSIONED } from "../../../src/core/version.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { turn } from "../../support/turn.ts";

const COPY = { entry: { value: "v", expiresAtMs: Infinity, version: UNVERSIONED }, lease: "L" };

/** A backfill whose copies the test ends. */
class Filling {
  readonly clock = new FakeClock();
  readonly fences = new Fences();
  readonly begun: CacheKey[] = [];
  readonly #ends: (() => void)[] = [];
  readonly backfill: Backfill<string>;

  constructor(limit: number) {
    this.backfill = new Backfill(
      (key) => {
        this.begun.push(key);
        return new Promise((resolve) => this.#ends.push(resolve));
      },
      limit,
      this.clock,
    );
  }

  /** Offers entries 0 to `count` and returns which were taken. */
  offer(count: number): boolean[] {
    return keys(count).map((key) => this.backfill.offer(key, { ...COPY, fence: this.fences.take(key) }));
  }

  /** Ends all copies under way, and lets the next ones begin. */
  async endAll(): Promise<void> {
    this.#ends.splice(0).forEach((end) => end());
    await turn();
  }

  async isIdle(): Promise<boolean> {
    let idle = false;
    this.backfill.idle().then(() => idle = true);
    await turn();
    return idle;
  }
}

function keys(count: number): CacheKey[] {
  return Array.from({ length: count }, (_, index) => cacheKey("shop", `${index}`));
}

Deno.test("Backfill copies in the order of offering, a bounded number at once", async () => {
  const filling = new Filling(100);
  filling.offer(CONCURRENT_FILLS + 5);
  assertEquals(filling.begun, keys(CONCURRENT_FILLS));
  await filling.endAll();
  assertEquals(filling.begun, keys(CONCURRENT_FILLS + 5));
});

Deno.test("Backfill.offer() refuses a copy while the queue is full, and accepts later ones", async () => {
  const filling = new Filling(2);
  const taken = filling.offer(CONCURRENT_FILLS + 3);
  assertEquals(taken.indexOf(false), CONCURRENT_FILLS + 2);
  await filling.endAll();
  assertEquals(filling.offer(1), [true]);
});

Deno.test("Backfill.idle() resolves when nothing waits and nothing is under way, also before the first", async () => {
  const filling = new Filling(100);
  assertEquals(await filling.isIdle(), true);
  for (const _round of [1, 2]) {
    filling.offer(CONCURRENT_FILLS + 1);
    assertEquals(await filling.isIdle(), false);
    await filling.endAll();
    assertEquals(await filling.isIdle(), false);
    await filling.endAll();
    assertEquals(await filling.isIdle(), true);
  }
});

Deno.test("Backfill makes no copy whose fence was voided while it waited, and goes on with the others", async () => {
  const filling = new Filling(100);
  filling.offer(CONCURRENT_FILLS + 3);
  const all = keys(CONCURRENT_FILLS + 3);
  filling.fences.void(all[CONCURRENT_FILLS + 1]!);
  await filling.endAll();
  assertEquals(filling.begun, all.toSpliced(CONCURRENT_FILLS + 1, 1));
});

Deno.test("Backfill makes no copy that has waited longer than its lease certainly lasts", async () => {
  const filling = new Filling(100);
  filling.offer(CONCURRENT_FILLS + 1);
  filling.clock.advance(MAX_WAIT_MS + 1);
  await filling.endAll();
  assertEquals(filling.begun, keys(CONCURRENT_FILLS));
  assertEquals(await filling.isIdle(), true);
});
