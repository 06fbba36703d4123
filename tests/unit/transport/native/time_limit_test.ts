import { assertEquals } from "@std/assert";
import { TimeLimit } from "../../../../src/transport/native/time_limit.ts";
import { FakeClock } from "../../../support/fake_clock.ts";

const LIMIT_MS = 200;

/** A limit and the names of the calls whose time is up. */
function limited() {
  const clock = new FakeClock();
  const limit = new TimeLimit(LIMIT_MS, clock);
  const ended: string[] = [];
  const enter = (name: string) => limit.enter({ onTimeUp: () => ended.push(name) });
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
    if (index !== 500) place.call = undefined;
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
    setTimer: (callback, delayMs) => clock.setTimer(callback, delayMs),
  });
  const ended: string[] = [];
  limit.enter({ onTimeUp: () => ended.push("before") });
  setBackMs = 3_600_000;
  clock.advance(LIMIT_MS);
  assertEquals(ended, ["before"]);
});

Deno.test("TimeLimit leaves no timer behind once it is disposed", () => {
  const { clock, limit, enter } = limited();
  enter("a");
  limit[Symbol.dispose]();
  assertEquals(clock.pendingTimers, 0);
});
