import { assertEquals, assertRejects } from "@std/assert";
import { Timeouts } from "../../../src/core/timeouts.ts";
import type { Clock } from "../../../src/core/clock.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { turn } from "../../support/turn.ts";

const TIMEOUT_MS = 200;

/** Time-outs that write down which operation expired, came late or settled. */
class Race {
  readonly clock = new FakeClock();
  readonly log: string[] = [];
  readonly #timeouts: Timeouts;

  constructor(clock: (fake: FakeClock) => Clock = (fake) => fake) {
    this.#timeouts = new Timeouts(clock(this.clock), TIMEOUT_MS);
  }

  /** Begins an operation that the test ends. */
  begin(name: string): PromiseWithResolvers<string> {
    const work = Promise.withResolvers<string>();
    this.#timeouts.race(work.promise, () => new Error(`${name} expired`))
      .then((value) => this.log.push(value), (error) => this.log.push(error.message));
    return work;
  }

  async advance(ms: number): Promise<void> {
    await turn();
    this.clock.advance(ms);
    await turn();
  }
}

Deno.test("Timeouts.race() settles as the work does when that is in time", async () => {
  const timeouts = new Timeouts(new FakeClock(), TIMEOUT_MS);
  const expired = () => new Error("expired");
  assertEquals(await timeouts.race(Promise.resolve("done"), expired), "done");
  await assertRejects(() => timeouts.race(Promise.reject(new Error("broken")), expired), Error, "broken");
});

Deno.test("Timeouts.race() rejects when the time-out has passed, not a millisecond before", async () => {
  const race = new Race();
  race.begin("a");
  await race.advance(TIMEOUT_MS - 1);
  assertEquals(race.log, []);
  await race.advance(1);
  assertEquals(race.log, ["a expired"]);
});

Deno.test("Timeouts expires operations in the order of their beginning, each at its own time", async () => {
  const race = new Race();
  for (const name of ["a", "b", "c"]) {
    race.begin(name);
    await race.advance(50);
  }
  await race.advance(49);
  assertEquals(race.log, []);
  await race.advance(1);
  assertEquals(race.log, ["a expired"]);
  await race.advance(50);
  assertEquals(race.log, ["a expired", "b expired"]);
  await race.advance(50);
  assertEquals(race.log, ["a expired", "b expired", "c expired"]);
});

Deno.test("Timeouts has one timer for all operations, and none once they are done", async () => {
  const race = new Race();
  const works = Array.from({ length: 100 }, (_, index) => race.begin(`${index}`));
  assertEquals(race.clock.pendingTimers, 1);
  works.forEach((work) => work.resolve("done"));
  await race.advance(TIMEOUT_MS);
  assertEquals(race.clock.pendingTimers, 0);
  assertEquals(race.log, Array(100).fill("done"));
});

Deno.test("Timeouts skips ended operations", async () => {
  const race = new Race();
  const first = race.begin("first");
  await race.advance(10);
  race.begin("hangs");
  await race.advance(10);
  const last = race.begin("last");
  first.resolve("first");
  last.resolve("last");
  await race.advance(TIMEOUT_MS - 11);
  assertEquals(race.log, ["first", "last"]);
  await race.advance(1);
  assertEquals(race.log, ["first", "last", "hangs expired"]);
});

Deno.test("Timeouts.race() stays rejected when the work settles late, in success or failure", async () => {
  const race = new Race();
  const works = [race.begin("a"), race.begin("b")];
  await race.advance(TIMEOUT_MS);
  works[0]!.resolve("in vain");
  works[1]!.reject(new Error("in vain"));
  await turn();
  assertEquals(race.log, ["a expired", "b expired"]);
});

Deno.test("Timeouts.enter() calls onTimeUp of an operation once, unless its place has been emptied", () => {
  const clock = new FakeClock();
  const timeouts = new Timeouts(clock, TIMEOUT_MS);
  const told: string[] = [];
  const places = ["a", "b", "c"].map((name) => timeouts.enter({ onTimeUp: () => told.push(name) }));
  places[1]!.operation = undefined;
  clock.advance(TIMEOUT_MS);
  assertEquals(told, ["a", "c"]);
  assertEquals(places.map(({ operation }) => operation), [undefined, undefined, undefined]);
  clock.advance(TIMEOUT_MS);
  assertEquals(told, ["a", "c"]);
});

Deno.test("Timeouts bounds work that hangs while the machine's clock is set, back or forward", async () => {
  for (const setByMs of [-3_600_000, 3_600_000]) {
    let offMs = 0;
    const race = new Race((fake) => ({
      now: () => fake.now() + offMs,
      monotonic: () => fake.monotonic(),
      monotonicOfTurn: () => fake.monotonicOfTurn(),
      setTimer: (callback, delayMs) => fake.setTimer(callback, delayMs),
    }));
    race.begin("first");
    await race.advance(1);
    race.begin("second");
    offMs = setByMs;
    await race.advance(TIMEOUT_MS - 1);
    assertEquals(race.log, ["first expired"]);
    await race.advance(1);
    assertEquals(race.log, ["first expired", "second expired"]);
  }
});

Deno.test("Timeouts keeps the time-out of each of thousands of operations, whatever ended before", async () => {
  const race = new Race();
  const hanging = new Map<number, string>();
  for (let index = 0; index < 3_000; index++) {
    const work = race.begin(`${index}`);
    if (index % 97 === 0) hanging.set(index, `${index} expired`);
    else work.resolve("done");
    if (index % 20 === 0) await race.advance(1);
  }
  await race.advance(TIMEOUT_MS);
  assertEquals(race.log.filter((line) => line !== "done"), [...hanging.values()]);
  assertEquals(race.log.length, 3_000);
  assertEquals(race.clock.pendingTimers, 0);
});

Deno.test("Timeouts leaves no timer once it is disposed of", () => {
  const clock = new FakeClock();
  const timeouts = new Timeouts(clock, TIMEOUT_MS);
  timeouts.race(new Promise(() => {}), () => new Error("expired"));
  timeouts[Symbol.dispose]();
  assertEquals(clock.pendingTimers, 0);
});
