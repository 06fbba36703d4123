import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { Tier } from "../../../src/cache/tier.ts";
import { ServiceError } from "../../../src/core/errors.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { RecordingObserver } from "../../support/cache/recording_observer.ts";
import { turn } from "../../support/turn.ts";

const OPTIONS = { name: "redis", readTimeoutMs: 100, writeTimeoutMs: 300 };

const isRefusal = (error: unknown) => error instanceof RangeError;

const BREAKER = { failureRatio: 0.5, minCalls: 2, windowMs: 1_000, probeDelayMs: 50, random: () => 0 };

function tierUnderTest() {
  const clock = new FakeClock();
  const observer = new RecordingObserver();
  return { clock, observer, tier: new Tier({ ...OPTIONS, breaker: BREAKER, isRefusal }, clock, observer) };
}

const forever = new Promise<never>(() => {});

Deno.test("Tier.read() and write() resolve to the store's answer, and report nothing", async () => {
  const { tier, observer } = tierUnderTest();
  assertEquals(await tier.read("read", () => Promise.resolve(1)), 1);
  assertEquals(await tier.write("write", () => Promise.resolve(2)), 2);
  assertEquals(observer.reports, []);
});

Deno.test("Tier rejects with store_unavailable after the time-out of reads or writes, not before", async () => {
  const cases = [
    { operation: "read", timeoutMs: 100, run: (tier: Tier) => tier.read("read", () => forever) },
    { operation: "write", timeoutMs: 300, run: (tier: Tier) => tier.write("write", () => forever) },
  ];
  for (const { operation, timeoutMs, run } of cases) {
    const { tier, clock, observer } = tierUnderTest();
    const rejected = assertRejects(() => run(tier), ServiceError);
    clock.advance(timeoutMs - 1);
    await turn();
    assertEquals(observer.reports, []);
    clock.advance(1);
    const error = await rejected;
    assertEquals([error.code, error.tier], ["store_unavailable", "redis"]);
    assertEquals(error.message, `Cannot ${operation} in the redis tier: it did not answer in time`);
    assertEquals(observer.reports, [`redis ${operation}: ${error.message}`]);
  }
});

Deno.test("Tier turns a driver's error into store_unavailable, neutral in its text, with the cause", async () => {
  const { tier, observer } = tierUnderTest();
  const cause = new Error("ECONNREFUSED 10.0.0.1:6379");
  const error = await assertRejects(() => tier.read("read", () => Promise.reject(cause)), ServiceError);
  assertEquals([error.code, error.tier], ["store_unavailable", "redis"]);
  assertEquals(error.message, "Cannot read in the redis tier: it refused, or cannot be reached");
  assertStrictEquals(error.cause, cause);
  assertEquals(observer.reports, [`redis read: ${error.message}`]);
});

Deno.test("Tier passes a ServiceError on unchanged, and reports all but cancellations", async () => {
  const { tier, observer } = tierUnderTest();
  const unreadable = new ServiceError("internal", "format byte 9");
  const gone = new ServiceError("cancelled", "the caller has left");
  assertStrictEquals(
    await assertRejects(() => tier.read("read", () => Promise.reject(unreadable)), Error),
    unreadable,
  );
  assertStrictEquals(await assertRejects(() => tier.read("read", () => Promise.reject(gone)), Error), gone);
  assertEquals(observer.reports, ["redis read: format byte 9"]);
});

Deno.test("Tier.write() calls onLate when the store answers after the time-out, and only then", async () => {
  const { tier, clock } = tierUnderTest();
  let late = 0;
  const work = Promise.withResolvers<void>();
  await tier.write("write", () => Promise.resolve(), () => late++);
  const rejected = assertRejects(() => tier.write("write", () => work.promise, () => late++), ServiceError);
  clock.advance(300);
  await rejected;
  assertEquals(late, 0);
  work.resolve();
  await turn();
  assertEquals(late, 1);
});

const fails = () => Promise.reject(new Error("connection refused"));

Deno.test("Tier.hasJustAnswered counts from the beginning of the last success, and ends with a failure", async () => {
  const { tier, clock } = tierUnderTest();
  assertEquals(tier.hasJustAnswered, false);
  const slow = Promise.withResolvers<void>();
  const asked = tier.write("write", () => slow.promise);
  clock.advance(200);
  slow.resolve();
  await asked;
  clock.advance(1_299);
  assertEquals(tier.hasJustAnswered, true);
  clock.advance(1);
  assertEquals(tier.hasJustAnswered, false);

  await tier.read("read", () => Promise.resolve());
  assertEquals(tier.hasJustAnswered, true);
  await assertRejects(() => tier.read("read", () => Promise.reject(new RangeError("refused"))), ServiceError);
  assertEquals(tier.hasJustAnswered, true, "a refusal is an answer");
  await assertRejects(() => tier.read("read", () => Promise.reject(new Error("gone"))), ServiceError);
  assertEquals(tier.hasJustAnswered, false);

  await tier.read("read", () => Promise.resolve());
  tier.interrupted();
  assertEquals(tier.hasJustAnswered, false);
});

Deno.test("Tier asks nothing of a store that fails too often, and its error has the time of the next probe", async () => {
  const { tier, clock, observer } = tierUnderTest();
  for (const _call of [1, 2]) await assertRejects(() => tier.read("read", fails), ServiceError);
  assertEquals(observer.reports.filter((line) => line.includes("breaker")), ["redis breaker open"]);
  clock.advance(20);
  let asked = 0;
  const ask = () => Promise.resolve(++asked);
  for (const refused of [() => tier.read("read", ask), () => tier.write("write", ask)]) {
    const error = await assertRejects(refused, ServiceError, "its circuit breaker is open");
    assertEquals([error.code, error.tier, error.retryAfterMs], ["store_unavailable", "redis", 30]);
    assertEquals(error.hadNoEffect, true, "nothing was begun");
  }
  assertEquals(asked, 0);

  clock.advance(30);
  const probe = Promise.withResolvers<string>();
  const probing = tier.read("read", () => probe.promise);
  await assertRejects(() => tier.read("read", ask), ServiceError, "its circuit breaker is open");
  probe.resolve("here");
  assertEquals(await probing, "here");
  assertEquals(await tier.write("write", ask), 1);
  assertEquals(observer.reports.filter((line) => line.includes("breaker")), [
    "redis breaker open",
    "redis breaker half_open",
    "redis breaker closed",
  ]);
});

Deno.test("Tier.probe() asks before a probe is due, and closes the breaker", async () => {
  const { tier, observer } = tierUnderTest();
  for (const _call of [1, 2]) await assertRejects(() => tier.read("read", fails), ServiceError);
  await tier.probe("ping", () => Promise.resolve());
  assertEquals(
    observer.reports.at(-1),
    "redis breaker closed",
    "the store can be asked at once",
  );
});

Deno.test("Tier.probe() rejects when only the first of two answers comes, and leaves the breaker open", async () => {
  const { tier, observer } = tierUnderTest();
  for (const _call of [1, 2]) await assertRejects(() => tier.read("read", fails), ServiceError);
  let asked = 0;
  await assertRejects(
    () => tier.probe("ping", () => ++asked === 1 ? Promise.resolve() : fails()),
    ServiceError,
  );
  assertEquals(asked, 2);
  assertEquals(observer.reports.filter((line) => line.includes("breaker")).at(-1), "redis breaker open");
});

Deno.test("Tier counts time-outs as failures, but not cancellations, unreadable data or refusals", async () => {
  const { tier, clock, observer } = tierUnderTest();
  const gone = new ServiceError("cancelled", "the caller has left");
  const harmless = [
    gone,
    new ServiceError("store_unavailable", "the caller stopped waiting", { cause: gone }),
    new ServiceError("internal", "format byte 9"),
    new RangeError("OOM"),
  ];
  for (const error of harmless) {
    for (const _call of [1, 2, 3]) {
      const { message } = await assertRejects(
        () => tier.read("read", () => Promise.reject(error)),
        ServiceError,
      );
      const refused = "Cannot read in the redis tier: it refused, or cannot be reached";
      assertEquals(message, error instanceof ServiceError ? error.message : refused);
    }
  }
  // Six answered calls are in the window, so six must fail.
  for (const breaker of [...Array(5).fill([]), ["redis breaker open"]]) {
    const rejected = assertRejects(() => tier.read("read", () => forever), ServiceError);
    clock.advance(100);
    await rejected;
    assertEquals(observer.reports.filter((line) => line.includes("breaker")), breaker);
  }
});

Deno.test("Tier.interruptions changes with the breaker's state, and with interrupted()", async () => {
  const { tier } = tierUnderTest();
  const seen = new Set([tier.interruptions]);
  for (const _call of [1, 2]) await assertRejects(() => tier.read("read", fails), ServiceError);
  seen.add(tier.interruptions);
  await tier.probe("ping", () => Promise.resolve(seen.add(tier.interruptions)));
  seen.add(tier.interruptions);
  tier.interrupted();
  seen.add(tier.interruptions);
  assertEquals(seen.size, 5);
});
