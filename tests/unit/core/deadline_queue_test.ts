import { assertEquals } from "@std/assert";
import { type Deadline, DeadlineQueue } from "../../../src/core/deadline_queue.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { seededRandom } from "../../support/seeded_random.ts";

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
