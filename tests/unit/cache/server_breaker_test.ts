import { assertEquals, assertRejects } from "@std/assert";
import { serverBreaker } from "../../../src/cache/server_breaker.ts";
import { ServiceError } from "../../../src/core/errors.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { turn } from "../../support/turn.ts";

const TIMEOUT_MS = 100;

function setUp() {
  const clock = new FakeClock();
  const states: string[] = [];
  const breaker = serverBreaker({
    tier: "redis",
    breaker: { failureRatio: 0.5, minCalls: 2, windowMs: 1000, probeDelayMs: 200, random: () => 0 },
    timeoutMs: TIMEOUT_MS,
    isRefusal: (error) => error instanceof Error && error.message === "refused",
    onChange: (state) => states.push(state),
  }, clock);
  return { clock, states, breaker };
}

const fail = () => Promise.reject(new Error("dead"));

Deno.test("serverBreaker() stops calls to a server that fails, and its error has the time of the next probe", async () => {
  const { clock, states, breaker } = setUp();
  for (let times = 0; times < 2; times++) await assertRejects(() => breaker.run(fail), Error, "dead");
  await turn();
  assertEquals(states, ["open"]);
  let asked = 0;
  const ask = () => Promise.resolve(asked++);
  const error = await assertRejects(() => breaker.run(ask), ServiceError);
  assertEquals([error.code, error.tier, error.retryAfterMs, asked], ["store_unavailable", "redis", 200, 0]);
  await breaker.probe(ask);
  clock.advance(200);
  await breaker.run(ask);
  await turn();
  assertEquals([asked, states], [2, ["open", "half_open", "closed"]]);
});

Deno.test("serverBreaker() counts a refusal as an answer", async () => {
  const { states, breaker } = setUp();
  const refuse = () => Promise.reject(new Error("refused"));
  for (let times = 0; times < 5; times++) await assertRejects(() => breaker.run(refuse), Error, "refused");
  await turn();
  assertEquals(states, []);
});

Deno.test("serverBreaker() counts an answer that takes too long as a failure, and still returns it", async () => {
  const { clock, states, breaker } = setUp();
  const answers = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  const results = answers.map(({ promise }) => breaker.run(() => promise));
  clock.advance(TIMEOUT_MS);
  await turn();
  assertEquals(states, ["open"]);
  for (const { resolve } of answers) resolve("late");
  assertEquals(await Promise.all(results), ["late", "late"]);
});
