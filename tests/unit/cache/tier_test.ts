import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { Tier } from "../../../src/cache/tier.ts";
import { ServiceError } from "../../../src/core/errors.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { RecordingObserver } from "../../support/recording_observer.ts";
import { turn } from "../../support/turn.ts";

const OPTIONS = { name: "redis", readTimeoutMs: 100, writeTimeoutMs: 300 };

function tierUnderTest() {
  const clock = new FakeClock();
  const observer = new RecordingObserver();
  return { clock, observer, tier: new Tier(OPTIONS, clock, observer) };
}

const forever = new Promise<never>(() => {});

Deno.test("Tier.read() and write() resolve to what the store says, and tell nobody", async () => {
  const { tier, observer } = tierUnderTest();
  assertEquals(await tier.read("read", Promise.resolve(1)), 1);
  assertEquals(await tier.write("write", Promise.resolve(2)), 2);
  assertEquals(observer.told, []);
});

Deno.test("Tier rejects with store_unavailable after the time-out of reads or writes, not before", async () => {
  const cases = [
    { operation: "read", timeoutMs: 100, run: (tier: Tier) => tier.read("read", forever) },
    { operation: "write", timeoutMs: 300, run: (tier: Tier) => tier.write("write", forever) },
  ];
  for (const { operation, timeoutMs, run } of cases) {
    const { tier, clock, observer } = tierUnderTest();
    const rejected = assertRejects(() => run(tier), ServiceError);
    clock.advance(timeoutMs - 1);
    await turn();
    assertEquals(observer.told, []);
    clock.advance(1);
    const error = await rejected;
    assertEquals([error.code, error.tier], ["store_unavailable", "redis"]);
    assertEquals(error.message, `Cannot ${operation} in the redis tier: it did not answer in time`);
    assertEquals(observer.told, [`redis ${operation}: ${error.message}`]);
  }
});

Deno.test("Tier turns a driver's error into store_unavailable, neutral in its text, with the cause", async () => {
  const { tier, observer } = tierUnderTest();
  const cause = new Error("ECONNREFUSED 10.0.0.1:6379");
  const error = await assertRejects(() => tier.read("read", Promise.reject(cause)), ServiceError);
  assertEquals([error.code, error.tier], ["store_unavailable", "redis"]);
  assertEquals(error.message, "Cannot read in the redis tier: it cannot be reached or refused");
  assertStrictEquals(error.cause, cause);
  assertEquals(observer.told, [`redis read: ${error.message}`]);
});

Deno.test("Tier passes a ServiceError on as it is, and tells of all but those who have gone", async () => {
  const { tier, observer } = tierUnderTest();
  const unreadable = new ServiceError("internal", "format byte 9");
  const gone = new ServiceError("cancelled", "the caller has gone");
  assertStrictEquals(
    await assertRejects(() => tier.read("read", Promise.reject(unreadable)), Error),
    unreadable,
  );
  assertStrictEquals(await assertRejects(() => tier.read("read", Promise.reject(gone)), Error), gone);
  assertEquals(observer.told, ["redis read: format byte 9"]);
});

Deno.test("Tier.write() tells when the store answers after the time-out, and only then", async () => {
  const { tier, clock } = tierUnderTest();
  let late = 0;
  const work = Promise.withResolvers<void>();
  await tier.write("write", Promise.resolve(), () => late++);
  const rejected = assertRejects(() => tier.write("write", work.promise, () => late++), ServiceError);
  clock.advance(300);
  await rejected;
  assertEquals(late, 0);
  work.resolve();
  await turn();
  assertEquals(late, 1);
});
