import { assert, assertEquals } from "@std/assert";
import { systemClock } from "../../../src/core/clock.ts";
import { turn } from "../../support/turn.ts";

Deno.test("systemClock.monotonicOfTurn() is constant within a turn, never later than now, and never goes back", async () => {
  let last = -Infinity;
  for (let round = 0; round < 3; round++) {
    const first = systemClock.monotonicOfTurn();
    assert(first > last, `${first} after ${last}`);
    while (systemClock.monotonic() - first < 2);
    assertEquals(systemClock.monotonicOfTurn(), first);
    last = first;
    await turn();
    assert(systemClock.monotonicOfTurn() >= first + 2);
    assert(systemClock.monotonicOfTurn() <= systemClock.monotonic());
    await turn();
  }
});
