import { assertEquals } from "@std/assert";
import { DistrustedKeys } from "../../../src/cache/distrusted_keys.ts";
import { type CacheKey, secretCacheKey } from "../../../src/core/key.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { turn } from "../../support/turn.ts";

const RETRY_MS = 1_000;
const [A, B, C] = ["a", "b", "c"].map(secretCacheKey) as [CacheKey, CacheKey, CacheKey];

/** Distrusted keys in a tier that the test makes answer or fail. */
class Distrust {
  readonly clock = new FakeClock();
  readonly tried: CacheKey[] = [];
  overflows = 0;
  makeSafe: (key: CacheKey) => Promise<void> = () => Promise.resolve();
  readonly keys = new DistrustedKeys(this.clock, (key) => {
    this.tried.push(key);
    return this.makeSafe(key);
  }, () => this.overflows++);

  get distrusted(): CacheKey[] {
    return [A, B, C].filter((key) => this.keys.has(key));
  }

  async nextRound(): Promise<void> {
    this.clock.advance(RETRY_MS);
    await turn();
  }
}

Deno.test("DistrustedKeys.has() a key from add() until it has been made safe", async () => {
  const distrust = new Distrust();
  distrust.keys.add(A);
  distrust.keys.add(B);
  distrust.clock.advance(RETRY_MS - 1);
  assertEquals([distrust.distrusted, distrust.tried], [[A, B], []]);
  await distrust.nextRound();
  assertEquals([distrust.distrusted, distrust.tried], [[], [A, B]]);
  assertEquals(distrust.clock.pendingTimers, 0);
});

Deno.test("DistrustedKeys.delete() trusts a key again, and nobody makes it safe any more", async () => {
  const distrust = new Distrust();
  distrust.keys.add(A);
  distrust.keys.add(B);
  distrust.keys.delete(A);
  assertEquals(distrust.distrusted, [B]);
  await distrust.nextRound();
  assertEquals(distrust.tried, [B]);
});

Deno.test("DistrustedKeys tries again each second while the tier is away, one key a round", async () => {
  const distrust = new Distrust();
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

Deno.test("DistrustedKeys makes the others safe where one key always fails", async () => {
  const distrust = new Distrust();
  distrust.makeSafe = (key) => key === A ? Promise.reject(new Error("wrong type")) : Promise.resolve();
  for (const key of [A, B, C]) distrust.keys.add(key);
  await distrust.nextRound();
  await distrust.nextRound();
  assertEquals(distrust.distrusted, [A]);
});

Deno.test("DistrustedKeys keeps a key that is added again while it is being made safe", async () => {
  const distrust = new Distrust();
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

Deno.test("DistrustedKeys leaves no timer behind and tries no further key once it is disposed of", async () => {
  const distrust = new Distrust();
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

Deno.test("DistrustedKeys hands the newest version on that an addition named", async () => {
  const clock = new FakeClock();
  const told: unknown[] = [];
  const keys = new DistrustedKeys(clock, (key, version) => {
    told.push([key, version]);
    return Promise.resolve();
  }, () => {});
  keys.add(A);
  keys.add(B);
  keys.add(A, { id: 7, revision: 2 });
  keys.add(A, { id: 7, revision: 1 });
  keys.add(A);
  clock.advance(RETRY_MS);
  await turn();
  assertEquals(told, [[B, undefined], [A, { id: 7, revision: 2 }]]);
});

Deno.test("DistrustedKeys remembers 10,000 keys, forgets the oldest of more and tells of it", () => {
  const distrust = new Distrust();
  distrust.keys.add(A);
  distrust.keys.add(B);
  distrust.keys.add(A);
  for (let key = 0; key < 9_998; key++) distrust.keys.add(secretCacheKey(`filler ${key}`));
  assertEquals([distrust.distrusted, distrust.overflows], [[A, B], 0]);
  distrust.keys.add(C);
  assertEquals([distrust.distrusted, distrust.overflows], [[A, C], 1]);
});
