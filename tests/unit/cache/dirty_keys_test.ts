import { assertEquals } from "@std/assert";
import { DirtyKeys } from "../../../src/cache/dirty_keys.ts";
import { type CacheKey, secretCacheKey } from "../../../src/core/key.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { turn } from "../../support/turn.ts";

const RETRY_MS = 1_000;
const [A, B, C] = ["a", "b", "c"].map(secretCacheKey) as [CacheKey, CacheKey, CacheKey];

/** Distrusted keys in a tier that the test makes answer or fail. */
class DirtyKey {
  readonly clock = new FakeClock();
  readonly tried: CacheKey[] = [];
  overflows = 0;
  makeSafe: (key: CacheKey) => Promise<void> = () => Promise.resolve();
  /** What the tier was told, in order. */
  readonly told: string[] = [];
  readonly settled: CacheKey[] = [];
  #lastIntent = 0;
  readonly keys = new DirtyKeys({
    clock: this.clock,
    writeTombstone: (key, intent, version) => {
      this.told.push(`writeTombstone ${key} ${intent} ${version?.revision ?? "nothing"}`);
      this.tried.push(key);
      return this.makeSafe(key);
    },
    announce: (key, intent) => {
      this.told.push(`announce ${key} ${intent}`);
      return this.makeSafe(key);
    },
    newIntent: () => `${++this.#lastIntent}`,
    onSettled: (key) => this.settled.push(key),
    onOverflow: () => this.overflows++,
  });

  get distrusted(): CacheKey[] {
    return [A, B, C].filter((key) => this.keys.has(key));
  }

  async nextRound(): Promise<void> {
    this.clock.advance(RETRY_MS);
    await turn();
  }
}

Deno.test("DirtyKeys.has() a key from add() until it has been made safe", async () => {
  const distrust = new DirtyKey();
  distrust.keys.add(A);
  distrust.keys.add(B);
  distrust.clock.advance(RETRY_MS - 1);
  assertEquals([distrust.distrusted, distrust.tried], [[A, B], []]);
  await distrust.nextRound();
  assertEquals([distrust.distrusted, distrust.tried], [[], [A, B]]);
  assertEquals(distrust.clock.pendingTimers, 0);
});

Deno.test("DirtyKeys.delete() trusts a key again, and nobody makes it safe any more", async () => {
  const distrust = new DirtyKey();
  distrust.keys.add(A);
  distrust.keys.add(B);
  distrust.keys.delete(A);
  assertEquals(distrust.distrusted, [B]);
  await distrust.nextRound();
  assertEquals(distrust.tried, [B]);
});

Deno.test("DirtyKeys tries again each second while the tier is away, one key a round", async () => {
  const distrust = new DirtyKey();
  distrust.makeSafe = () => Promise.reject(new Error("away"));
  for (const key of [A, B, C]) distrust.keys.add(key);
  for (const tries of [1, 2, 3]) {
    await distrust.nextRound();
    assertEquals(distrust.tried.length, tries);
  }
  assertEquals(distrust.distrusted, [A, B, C]);
  distrust.makeSafe = () => Promise.resolve();
  await distrust.nextRound();
  assertEquals(distrust.distrusted, []);
});

Deno.test("DirtyKeys makes the others safe where one key always fails", async () => {
  const distrust = new DirtyKey();
  distrust.makeSafe = (key) => key === A ? Promise.reject(new Error("wrong type")) : Promise.resolve();
  for (const key of [A, B, C]) distrust.keys.add(key);
  await distrust.nextRound();
  await distrust.nextRound();
  assertEquals(distrust.distrusted, [A]);
});

Deno.test("DirtyKeys keeps a key that is added again while it is being made safe", async () => {
  const distrust = new DirtyKey();
  const underWay = Promise.withResolvers<void>();
  distrust.makeSafe = () => underWay.promise;
  distrust.keys.add(A);
  await distrust.nextRound();
  distrust.keys.add(A);
  underWay.resolve();
  await turn();
  assertEquals(distrust.distrusted, [A]);
  await distrust.nextRound();
  assertEquals([distrust.distrusted, distrust.tried], [[], [A, A]]);
});

Deno.test("DirtyKeys leaves no timer behind and tries no further key once it is disposed of", async () => {
  const distrust = new DirtyKey();
  const underWay = Promise.withResolvers<void>();
  distrust.makeSafe = () => underWay.promise;
  distrust.keys.add(A);
  distrust.keys.add(B);
  await distrust.nextRound();
  distrust.keys[Symbol.dispose]();
  underWay.resolve();
  await turn();
  assertEquals([distrust.tried, distrust.clock.pendingTimers], [[A], 0]);
});

Deno.test("DirtyKeys hands the newest version on that an addition named", async () => {
  const { clock, keys, told } = new DirtyKey();
  keys.add(A);
  keys.add(B);
  keys.add(A, { id: 7, revision: 2 });
  keys.add(A, { id: 7, revision: 1 });
  keys.add(A);
  clock.advance(RETRY_MS);
  await turn();
  assertEquals(told, [`writeTombstone ${B} 2 nothing`, `writeTombstone ${A} 1 2`]);
});

Deno.test("DirtyKeys keeps a tombstone over an unsettled key, and once more when the last change is settled", async () => {
  const distrust = new DirtyKey();
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  distrust.keys.addUntil(first.promise, A);
  distrust.keys.addUntil(second.promise, A);
  for (let round = 0; round < 25; round++) await distrust.nextRound();
  const renewed = `announce ${A} 1`;
  assertEquals(distrust.told, [renewed, renewed, renewed], "at once, after ten seconds and after twenty");
  distrust.keys.delete(A);
  assertEquals([distrust.keys.isUnsettled(A), distrust.keys.unsettled], [true, 1]);

  first.resolve();
  await turn();
  await distrust.nextRound();
  assertEquals([distrust.settled, distrust.distrusted], [[A], [A]]);
  second.resolve();
  await turn();
  distrust.clock.advance(0);
  await turn();
  assertEquals([distrust.settled, distrust.distrusted], [[A, A], []]);
  assertEquals(distrust.told.slice(3), [renewed], "of which the intent keeps out what others wrote before");
  assertEquals(distrust.clock.pendingTimers, 0);
});

Deno.test("DirtyKeys makes a settled key safe as soon as the tier answers", async () => {
  const distrust = new DirtyKey();
  const change = Promise.withResolvers<void>();
  distrust.makeSafe = () => Promise.reject(new Error("away"));
  distrust.keys.addUntil(change.promise, A);
  await distrust.nextRound();
  await distrust.nextRound();
  assertEquals(distrust.told.length, 2, "a renewal that fails is tried again each second");
  change.resolve();
  await turn();
  await distrust.nextRound();
  assertEquals(distrust.distrusted, [A]);
  distrust.makeSafe = () => Promise.resolve();
  await distrust.nextRound();
  assertEquals(distrust.distrusted, []);
});

Deno.test("DirtyKeys does nothing any more for a change that is settled after its disposal", async () => {
  const distrust = new DirtyKey();
  const change = Promise.withResolvers<void>();
  distrust.keys.addUntil(change.promise, A);
  distrust.keys[Symbol.dispose]();
  change.resolve();
  await turn();
  assertEquals([distrust.settled, distrust.told, distrust.clock.pendingTimers], [[], [], 0]);
});

Deno.test("DirtyKeys remembers 10,000 keys, forgets the oldest of more and tells of it", () => {
  const distrust = new DirtyKey();
  distrust.keys.add(A);
  distrust.keys.add(B);
  distrust.keys.add(A);
  for (let key = 0; key < 9_998; key++) distrust.keys.add(secretCacheKey(`filler ${key}`));
  assertEquals([distrust.distrusted, distrust.overflows], [[A, B], 0]);
  distrust.keys.add(C);
  assertEquals([distrust.distrusted, distrust.overflows], [[A, C], 1]);
});

Deno.test("DirtyKeys lets the tombstone of a settled key outrank a version that the tier may not know of", async () => {
  const distrust = new DirtyKey();
  const change = Promise.withResolvers<void>();
  distrust.keys.addUntil(change.promise, A);
  distrust.keys.add(A, { id: 1, revision: 7 });
  change.resolve();
  await turn();
  distrust.clock.advance(0);
  await turn();
  assertEquals(distrust.told.slice(-2), [`announce ${A} 1`, `writeTombstone ${A} 2 7`]);
});
