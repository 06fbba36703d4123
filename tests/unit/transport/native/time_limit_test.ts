import { assertEquals } from "@std/assert";
import { type Place, TimeLimit } from "../../../../src/transport/native/time_limit.ts";
import { FakeClock } from "../../../support/fake_clock.ts";
import { seededRandom } from "../../../support/seeded_random.ts";

const LIMIT_MS = 200;

/** A limit and the names of the calls whose time is up. */
function limited() {
  const clock = new FakeClock();
  const limit = new TimeLimit(LIMIT_MS, clock);
  const ended: string[] = [];
  const enter = (name: string, deadlineMs = Infinity) =>
    limit.enter({ onTimeUp: () => ended.push(name) }, deadlineMs);
  return { clock, limit, ended, enter };
}

Deno.test("TimeLimit tells each call when its own time is up, not a millisecond before", () => {
  const { clock, ended, enter } = limited();
  for (const name of ["a", "b"]) {
    enter(name);
    clock.advance(50);
  }
  clock.advance(LIMIT_MS - 101);
  assertEquals(ended, []);
  clock.advance(1);
  assertEquals(ended, ["a"]);
  clock.advance(50);
  assertEquals(ended, ["a", "b"]);
});

Deno.test("TimeLimit has one timer for all calls, and tells none that has left", () => {
  const { clock, ended, enter } = limited();
  const places = Array.from({ length: 1000 }, (_, index) => enter(`${index}`));
  assertEquals(clock.pendingTimers, 1);
  places.forEach((place, index) => {
    if (index !== 500) place.leave();
  });
  clock.advance(LIMIT_MS);
  assertEquals(ended, ["500"]);
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("TimeLimit bounds calls while the machine's clock is set back", () => {
  const clock = new FakeClock();
  let setBackMs = 0;
  const limit = new TimeLimit(LIMIT_MS, {
    now: () => clock.now() - setBackMs,
    monotonic: () => clock.monotonic(),
    monotonicOfTurn: () => clock.monotonicOfTurn(),
    setTimer: (callback, delayMs) => clock.setTimer(callback, delayMs),
  });
  const ended: string[] = [];
  limit.enter({ onTimeUp: () => ended.push("before") }, Infinity);
  setBackMs = 3_600_000;
  clock.advance(LIMIT_MS);
  assertEquals(ended, ["before"]);
});

Deno.test("TimeLimit tells each call at its own deadline, whatever the order, and at the limit at the latest", () => {
  const seed = 20_261_126;
  const random = seededRandom(seed);
  const { clock, ended, enter } = limited();
  const due = new Map<string, number>();
  const places: { name: string; place: Place }[] = [];
  for (let round = 0; round < 3_000; round++) {
    const leftMs = Math.floor(random() * 1.2 * LIMIT_MS);
    places.push({ name: `${round}`, place: enter(`${round}`, clock.now() + leftMs) });
    due.set(`${round}`, clock.now() + Math.min(leftMs, LIMIT_MS));
    if (random() < 0.8) {
      const [{ name, place }] = places.splice(Math.floor(random() * places.length), 1) as [typeof places[0]];
      place.leave();
      due.delete(name);
    }
    clock.advance(random() < 0.3 ? Math.floor(random() * 5) : 0);
    const expected = [...due].filter(([, ms]) => ms <= clock.now()).map(([name]) => name);
    for (const name of expected) due.delete(name);
    assertEquals(ended.splice(0).sort(), expected.sort(), `round ${round}, seed ${seed}`);
  }
  clock.advance(LIMIT_MS);
  assertEquals(ended.sort(), [...due.keys()].sort());
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("TimeLimit does not tell a call that another one has ended in the same moment", () => {
  const { clock, limit, ended, enter } = limited();
  limit.enter({ onTimeUp: () => second.leave() }, Infinity);
  const second = enter("second");
  clock.advance(LIMIT_MS);
  assertEquals(ended, []);
});

Deno.test("TimeLimit leaves no timer behind once it is disposed", () => {
  const { clock, limit, enter } = limited();
  enter("a");
  limit[Symbol.dispose]();
  assertEquals(clock.pendingTimers, 0);
});
