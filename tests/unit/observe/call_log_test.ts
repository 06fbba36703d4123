import { assertEquals } from "@std/assert";
import { CallLog } from "../../../src/observe/call_log.ts";
import { Logger } from "../../../src/observe/logger.ts";
import { FakeClock } from "../../support/fake_clock.ts";

const PATH = "/s/M";

function logging() {
  const clock = new FakeClock();
  const lines: string[] = [];
  const calls = new CallLog(new Logger(clock, "debug", (line) => lines.push(line)), clock);
  /** Runs an operation of a tier, which takes some time, on behalf of the current call. */
  const ask = async (tier: string, operation: string, { tookMs = 1, answers = true } = {}) => {
    const asked = calls.tierAsked(tier, operation);
    await Promise.resolve();
    clock.advance(tookMs);
    asked(answers);
  };
  /** The lines since the last look, without what all have. */
  const look = () =>
    lines.splice(0).map((line) => {
      const { time: _, level, event, method, ...rest } = JSON.parse(line);
      assertEquals([level, event, method], ["debug", "call", PATH]);
      return rest;
    });
  return { clock, calls, ask, look };
}

Deno.test("CallLog names local memory as the tier of a call that asked no other", () => {
  const { clock, calls, look } = logging();
  for (const status of ["OK", "NOT_FOUND", "INVALID_ARGUMENT"]) {
    calls.watch(PATH, (ended) => {
      clock.advance(0.0625);
      ended(status);
    });
  }
  assertEquals(look(), [
    { status: "OK", ms: 0.063, tier: "local" },
    { status: "NOT_FOUND", ms: 0.063, tier: "local" },
    { status: "INVALID_ARGUMENT", ms: 0.063 },
  ]);
});

Deno.test("CallLog writes the operations of each tier, their times, and the tier that answered last", async () => {
  const { calls, ask, look } = logging();
  await new Promise<void>((resolve) =>
    calls.watch(PATH, async (ended) => {
      await ask("redis", "read", { tookMs: 200, answers: false });
      await ask("database", "read", { tookMs: 3 });
      ended("OK");
      // A backfill, after the response.
      await ask("redis", "fill");
      resolve();
    })
  );
  assertEquals(look(), [{
    status: "OK",
    ms: 203,
    tier: "database",
    tier_ms: 3,
    tiers: "redis read failed 200 ms, database read 3 ms",
  }]);
});

Deno.test("CallLog keeps calls that run at the same time apart", async () => {
  const { calls, ask, look } = logging();
  const tiers = ["redis", "database", "redis"];
  await Promise.all(tiers.map((tier) =>
    new Promise<void>((resolve) =>
      calls.watch(PATH, async (ended) => {
        await ask(tier, "read");
        ended("OK");
        resolve();
      })
    )
  ));
  // The service's own operations belong to no call.
  await ask("redis", "ping");
  // The calls share the clock: each also sees the time of those before it.
  const expected = tiers.map((tier, before) => [tier, `${tier} read ${before + 1} ms`]);
  assertEquals(look().map(({ tier, tiers }) => [tier, tiers]), expected);
});

Deno.test("CallLog writes that a call has joined another call's read", () => {
  const { calls, look } = logging();
  calls.watch(PATH, (ended) => {
    calls.readJoined();
    ended("OK");
  });
  assertEquals(look(), [{ status: "OK", ms: 0, tier: "joined" }]);
});

Deno.test("CallLog names no tier if none has answered", async () => {
  const { calls, ask, look } = logging();
  await new Promise<void>((resolve) =>
    calls.watch(PATH, async (ended) => {
      await ask("redis", "write", { answers: false });
      ended("UNAVAILABLE");
      resolve();
    })
  );
  assertEquals(look(), [{ status: "UNAVAILABLE", ms: 1, tiers: "redis write failed 1 ms" }]);
});
