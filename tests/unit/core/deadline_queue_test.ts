import { assertEquals, assertRejects } from "@std/assert";
import type { Clock } from "../../../src/core/clock.ts";
import { type Deadline, DeadlineQueue } from "../../../src/core/deadline_queue.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { seededRandom } from "../../support/seeded_random.ts";
import { turn } from "../../support/turn.ts";

const TIMEOUT_MS = 200;

/** A queue and the names of the operations whose time is up. */
function bounded() {
  const clock = new FakeClock();
  const queue = new DeadlineQueue(clock, TIMEOUT_MS);
  const ended: string[] = [];
  const add = (name: string, afterMs?: number) => queue.add({ onTimeUp: () => ended.push(name) }, afterMs);
  return { clock, queue, ended, add };
}

Deno.test("DeadlineQueue calls each operation back when its own time is up, not a millisecond before", () => {
  const { clock, ended, add } = bounded();
  for (const name of ["a", "b"]) {
    add(name);
    clock.advance(50);
  }
  clock.advance(TIMEOUT_MS - 101);
  assertEquals(ended, []);
  clock.advance(1);
  assertEquals(ended, ["a"]);
  clock.advance(50);
  assertEquals(ended, ["a", "b"]);
});

Deno.test("DeadlineQueue has one timer for all operations, and calls back none that is cancelled", () => {
  const { clock, ended, add } = bounded();
  const deadlines = Array.from({ length: 1000 }, (_, index) => add(`${index}`));
  assertEquals(clock.pendingTimers, 1);
  deadlines.forEach((deadline, index) => {
    if (index !== 500) deadline.cancel();
  });
  clock.advance(TIMEOUT_MS);
  assertEquals(ended, ["500"]);
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("DeadlineQueue bounds operations while the machine's clock is set back", () => {
  const clock = new FakeClock();
  let setBackMs = 0;
  const queue = new DeadlineQueue({
    now: () => clock.now() - setBackMs,
    monotonic: () => clock.monotonic(),
    monotonicOfTurn: () => clock.monotonicOfTurn(),
    setTimer: (callback, delayMs) => clock.setTimer(callback, delayMs),
  }, TIMEOUT_MS);
  const ended: string[] = [];
  queue.add({ onTimeUp: () => ended.push("before") });
  setBackMs = 3_600_000;
  clock.advance(TIMEOUT_MS);
  assertEquals(ended, ["before"]);
});

Deno.test("DeadlineQueue calls each operation back at its own deadline, in any order, and at the latest after the time-out", () => {
  const seed = 20_261_126;
  const random = seededRandom(seed);
  const { clock, ended, add } = bounded();
  const due = new Map<string, number>();
  const deadlines: { name: string; deadline: Deadline }[] = [];
  for (let round = 0; round < 3_000; round++) {
    const leftMs = Math.floor(random() * 1.2 * TIMEOUT_MS);
    deadlines.push({ name: `${round}`, deadline: add(`${round}`, leftMs) });
    due.set(`${round}`, clock.now() + Math.min(leftMs, TIMEOUT_MS));
    if (random() < 0.8) {
      const at = Math.floor(random() * deadlines.length);
      const [{ name, deadline }] = deadlines.splice(at, 1) as [typeof deadlines[0]];
      deadline.cancel();
      due.delete(name);
    }
    clock.advance(random() < 0.3 ? Math.floor(random() * 5) : 0);
    const expected = [...due].filter(([, ms]) => ms <= clock.now()).map(([name]) => name);
    for (const name of expected) due.delete(name);
    assertEquals(ended.splice(0).sort(), expected.sort(), `round ${round}, seed ${seed}`);
  }
  clock.advance(TIMEOUT_MS);
  assertEquals(ended.sort(), [...due.keys()].sort());
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("DeadlineQueue does not call back an operation that another one has cancelled in the same moment", () => {
  const { clock, queue, ended, add } = bounded();
  queue.add({ onTimeUp: () => second.cancel() });
  const second = add("second");
  clock.advance(TIMEOUT_MS);
  assertEquals(ended, []);
});

Deno.test("DeadlineQueue has no timer once it is disposed", () => {
  const { clock, queue, add } = bounded();
  add("a");
  queue[Symbol.dispose]();
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("DeadlineQueue.add() calls an operation back at once if its deadline has passed already", () => {
  const { clock, ended, add } = bounded();
  add("late", -TIMEOUT_MS);
  clock.advance(0);
  assertEquals(ended, ["late"]);
});

Deno.test("Deadline.cancel() returns whether it ended the deadline", () => {
  const { clock, add } = bounded();
  const [cancelled, expired] = [add("cancelled"), add("expired")];
  assertEquals([cancelled.cancel(), cancelled.cancel()], [true, false]);
  clock.advance(TIMEOUT_MS);
  assertEquals(expired.cancel(), false);
});

/** A queue, and a log of the operations that expired or settled. */
class Race {
  readonly clock = new FakeClock();
  readonly log: string[] = [];
  readonly #queue: DeadlineQueue;

  constructor(clock: (fake: FakeClock) => Clock = (fake) => fake) {
    this.#queue = new DeadlineQueue(clock(this.clock), TIMEOUT_MS);
  }

  /** Begins an operation that ends when the test says so. */
  begin(name: string): PromiseWithResolvers<string> {
    const work = Promise.withResolvers<string>();
    this.#queue.race(work.promise, () => new Error(`${name} expired`))
      .then((value) => this.log.push(value), (error) => this.log.push(error.message));
    return work;
  }

  async advance(ms: number): Promise<void> {
    await turn();
    this.clock.advance(ms);
    await turn();
  }
}

Deno.test("DeadlineQueue.race() settles as the work does when that is in time", async () => {
  const queue = new DeadlineQueue(new FakeClock(), TIMEOUT_MS);
  const expired = () => new Error("expired");
  assertEquals(await queue.race(Promise.resolve("done"), expired), "done");
  await assertRejects(() => queue.race(Promise.reject(new Error("broken")), expired), Error, "broken");
});

Deno.test("DeadlineQueue.race() rejects when the time-out has passed, not a millisecond before", async () => {
  const race = new Race();
  race.begin("a");
  await race.advance(TIMEOUT_MS - 1);
  assertEquals(race.log, []);
  await race.advance(1);
  assertEquals(race.log, ["a expired"]);
});

Deno.test("DeadlineQueue.race() expires each operation at its own time", async () => {
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

Deno.test("DeadlineQueue.race() has one timer for all operations, and none once they are done", async () => {
  const race = new Race();
  const works = Array.from({ length: 100 }, (_, index) => race.begin(`${index}`));
  assertEquals(race.clock.pendingTimers, 1);
  works.forEach((work) => work.resolve("done"));
  await race.advance(TIMEOUT_MS);
  assertEquals(race.clock.pendingTimers, 0);
  assertEquals(race.log, Array(100).fill("done"));
});

Deno.test("DeadlineQueue.race() expires an operation between others that are done", async () => {
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

Deno.test("DeadlineQueue.race() stays rejected when the work settles late, with success or an error", async () => {
  const race = new Race();
  const works = [race.begin("a"), race.begin("b")];
  await race.advance(TIMEOUT_MS);
  works[0]!.resolve("in vain");
  works[1]!.reject(new Error("in vain"));
  await turn();
  assertEquals(race.log, ["a expired", "b expired"]);
});

Deno.test("DeadlineQueue.add() calls an operation back once, unless its deadline is cancelled", () => {
  const clock = new FakeClock();
  const queue = new DeadlineQueue(clock, TIMEOUT_MS);
  const ended: string[] = [];
  const deadlines = ["a", "b", "c"].map((name) => queue.add({ onTimeUp: () => ended.push(name) }));
  deadlines[1]!.cancel();
  clock.advance(TIMEOUT_MS);
  assertEquals(ended, ["a", "c"]);
  assertEquals(deadlines.map((deadline) => deadline.cancel()), [false, false, false]);
  clock.advance(TIMEOUT_MS);
  assertEquals(ended, ["a", "c"]);
});

Deno.test("DeadlineQueue.race() bounds work that hangs while the machine's clock is set, back or forward", async () => {
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

Deno.test("DeadlineQueue.race() keeps the deadline of each of thousands, whatever ended before them", async () => {
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

Deno.test("DeadlineQueue.race() has no timer once the queue is disposed", () => {
  const clock = new FakeClock();
  const queue = new DeadlineQueue(clock, TIMEOUT_MS);
  queue.race(new Promise(() => {}), () => new Error("expired"));
  queue[Symbol.dispose]();
  assertEquals(clock.pendingTimers, 0);
});
