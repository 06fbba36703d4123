import { assertEquals } from "@std/assert";
import { DirtyKeys } from "../../../src/cache/dirty_keys.ts";
import { type CacheKey, secretCacheKey } from "../../../src/core/key.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { turn } from "../../support/turn.ts";

const RETRY_MS = 1_000;
const [A, B, C] = ["a", "b", "c"].map(secretCacheKey) as [CacheKey, CacheKey, CacheKey];

/** Dirty keys in a tier that the test makes answer or fail. */
class Setting {
  readonly clock = new FakeClock();
  readonly tried: CacheKey[] = [];
  overflows = 0;
  makeSafe: (key: CacheKey) => Promise<void> = () => Promise.resolve();
  /** The calls of the tier, in order. */
  readonly calls: string[] = [];
  readonly settled: CacheKey[] = [];
  #lastIntent = 0;
  readonly keys = new DirtyKeys({
    clock: this.clock,
    writeTombstone: (key, intent, version) => {
      this.calls.push(`writeTombstone ${key} ${intent} ${version?.revision ?? "nothing"}`);
      this.tried.push(key);
      return this.makeSafe(key);
    },
    announce: (key, intent) => {
      this.calls.push(`announce ${key} ${intent}`);
      return this.makeSafe(key);
    },
    newIntent: () => `${++this.#lastIntent}`,
    onSettled: (key) => this.settled.push(key),
    onOverflow: () => this.overflows++,
  });

  get dirty(): CacheKey[] {
    return [A, B, C].filter((key) => this.keys.has(key));
  }

  async nextRound(): Promise<void> {
    this.clock.advance(RETRY_MS);
    await turn();
  }
}

Deno.test("DirtyKeys.has() a key from add() until it has a tombstone", async () => {
  const setting = new Setting();
  setting.keys.add(A);
  setting.keys.add(B);
  setting.clock.advance(RETRY_MS - 1);
  assertEquals([setting.dirty, setting.tried], [[A, B], []]);
  await setting.nextRound();
  assertEquals([setting.dirty, setting.tried], [[], [A, B]]);
  assertEquals(setting.clock.pendingTimers, 0);
});

Deno.test("DirtyKeys.delete() removes a key, which then gets no tombstone", async () => {
  const setting = new Setting();
  setting.keys.add(A);
  setting.keys.add(B);
  setting.keys.delete(A);
  assertEquals(setting.dirty, [B]);
  await setting.nextRound();
  assertEquals(setting.tried, [B]);
});

Deno.test("DirtyKeys tries again each second while the tier fails, one key a round", async () => {
  const setting = new Setting();
  setting.makeSafe = () => Promise.reject(new Error("away"));
  for (const key of [A, B, C]) setting.keys.add(key);
  for (const tries of [1, 2, 3]) {
    await setting.nextRound();
    assertEquals(setting.tried.length, tries);
  }
  assertEquals(setting.dirty, [A, B, C]);
  setting.makeSafe = () => Promise.resolve();
  await setting.nextRound();
  assertEquals(setting.dirty, []);
});

Deno.test("DirtyKeys writes the other tombstones while one key always fails", async () => {
  const setting = new Setting();
  setting.makeSafe = (key) => key === A ? Promise.reject(new Error("wrong type")) : Promise.resolve();
  for (const key of [A, B, C]) setting.keys.add(key);
  await setting.nextRound();
  await setting.nextRound();
  assertEquals(setting.dirty, [A]);
});

Deno.test("DirtyKeys keeps a key that is added again while its tombstone is being written", async () => {
  const setting = new Setting();
  const underWay = Promise.withResolvers<void>();
  setting.makeSafe = () => underWay.promise;
  setting.keys.add(A);
  await setting.nextRound();
  setting.keys.add(A);
  underWay.resolve();
  await turn();
  assertEquals(setting.dirty, [A]);
  await setting.nextRound();
  assertEquals([setting.dirty, setting.tried], [[], [A, A]]);
});

Deno.test("DirtyKeys leaves no timer and tries no further key once it is disposed of", async () => {
  const setting = new Setting();
  const underWay = Promise.withResolvers<void>();
  setting.makeSafe = () => underWay.promise;
  setting.keys.add(A);
  setting.keys.add(B);
  await setting.nextRound();
  setting.keys[Symbol.dispose]();
  underWay.resolve();
  await turn();
  assertEquals([setting.tried, setting.clock.pendingTimers], [[A], 0]);
});

Deno.test("DirtyKeys passes on the newest version of all additions", async () => {
  const { clock, keys, calls } = new Setting();
  keys.add(A);
  keys.add(B);
  keys.add(A, { id: 7, revision: 2 });
  keys.add(A, { id: 7, revision: 1 });
  keys.add(A);
  clock.advance(RETRY_MS);
  await turn();
  assertEquals(calls, [`writeTombstone ${B} 2 nothing`, `writeTombstone ${A} 1 2`]);
});

Deno.test("DirtyKeys keeps a tombstone over an unsettled key, and once more when the last change is settled", async () => {
  const setting = new Setting();
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  setting.keys.addUntil(first.promise, A);
  setting.keys.addUntil(second.promise, A);
  for (let round = 0; round < 25; round++) await setting.nextRound();
  const renewed = `announce ${A} 1`;
  assertEquals(setting.calls, [renewed, renewed, renewed], "at once, after ten seconds and after twenty");
  setting.keys.delete(A);
  assertEquals([setting.keys.isUnsettled(A), setting.keys.unsettled], [true, 1]);

  first.resolve();
  await turn();
  await setting.nextRound();
  assertEquals([setting.settled, setting.dirty], [[A], [A]]);
  second.resolve();
  await turn();
  setting.clock.advance(0);
  await turn();
  assertEquals([setting.settled, setting.dirty], [[A, A], []]);
  assertEquals(
    setting.calls.slice(3),
    [renewed],
    "its intent keeps others from publishing what they wrote before",
  );
  assertEquals(setting.clock.pendingTimers, 0);
});

Deno.test("DirtyKeys writes the tombstone of a settled key as soon as the tier answers", async () => {
  const setting = new Setting();
  const change = Promise.withResolvers<void>();
  setting.makeSafe = () => Promise.reject(new Error("away"));
  setting.keys.addUntil(change.promise, A);
  await setting.nextRound();
  await setting.nextRound();
  assertEquals(setting.calls.length, 2, "a failed renewal is tried again each second");
  change.resolve();
  await turn();
  await setting.nextRound();
  assertEquals(setting.dirty, [A]);
  setting.makeSafe = () => Promise.resolve();
  await setting.nextRound();
  assertEquals(setting.dirty, []);
});

Deno.test("DirtyKeys ignores a change that is settled after its disposal", async () => {
  const setting = new Setting();
  const change = Promise.withResolvers<void>();
  setting.keys.addUntil(change.promise, A);
  setting.keys[Symbol.dispose]();
  change.resolve();
  await turn();
  assertEquals([setting.settled, setting.calls, setting.clock.pendingTimers], [[], [], 0]);
});

Deno.test("DirtyKeys remembers 10,000 keys, forgets the oldest of more and reports it", () => {
  const setting = new Setting();
  setting.keys.add(A);
  setting.keys.add(B);
  setting.keys.add(A);
  for (let key = 0; key < 9_998; key++) setting.keys.add(secretCacheKey(`filler ${key}`));
  assertEquals([setting.dirty, setting.overflows], [[A, B], 0]);
  setting.keys.add(C);
  assertEquals([setting.dirty, setting.overflows], [[A, C], 1]);
});

Deno.test("DirtyKeys lets the tombstone of a settled key outrank a version that the tier may lack", async () => {
  const setting = new Setting();
  const change = Promise.withResolvers<void>();
  setting.keys.addUntil(change.promise, A);
  setting.keys.add(A, { id: 1, revision: 7 });
  change.resolve();
  await turn();
  setting.clock.advance(0);
  await turn();
  assertEquals(setting.calls.slice(-2), [`announce ${A} 1`, `writeTombstone ${A} 2 7`]);
});
