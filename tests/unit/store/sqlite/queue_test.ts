import { assertEquals, assertRejects } from "@std/assert";
import type { Timer } from "../../../../src/core/clock.ts";
import { ServiceError } from "../../../../src/core/errors.ts";
import { AGAIN, MAX_WAITING, SqliteQueue } from "../../../../src/store/sqlite/queue.ts";
import { FakeClock } from "../../../support/fake_clock.ts";

const WAIT_MS = 1_000;

/** Counts the requested turns of the event loop. */
class TurnCountingClock extends FakeClock {
  turns = 0;

  override setTimer(callback: () => void, delayMs: number): Timer {
    if (delayMs === 0) this.turns++;
    return super.setTimer(callback, delayMs);
  }
}

/** A queue over a lock that the test takes and releases, with the effects in order. */
class Locking {
  readonly clock = new TurnCountingClock();
  readonly timeUps: string[] = [];
  readonly queue = new SqliteQueue(this.clock, WAIT_MS, (error) => this.timeUps.push(error.message));
  readonly done: string[] = [];
  isLocked = true;
  attempts = 0;

  run(name: string): Promise<string> {
    return this.queue.run(() => {
      this.attempts++;
      if (this.isLocked) throw Object.assign(new Error("database is locked"), { errcode: 5 });
      this.done.push(name);
      return name;
    });
  }
}

Deno.test("SqliteQueue.run() does its work within the call while the file is free", async () => {
  const locking = new Locking();
  locking.isLocked = false;
  const running = locking.run("a");
  assertEquals(locking.done, ["a"]);
  assertEquals([await running, locking.clock.pendingTimers], ["a", 0]);
});

Deno.test("SqliteQueue.run() rejects at once with an error other than a lock", async () => {
  const { queue, clock } = new Locking();
  const full = Object.assign(new Error("database or disk is full"), { errcode: 13 });
  const error = await assertRejects(() =>
    queue.run(() => {
      throw full;
    }), Error);
  assertEquals([error, clock.pendingTimers], [full, 0]);
});

Deno.test("SqliteQueue lets operations take effect in the order in which they came", async () => {
  const locking = new Locking();
  const first = locking.run("first");
  locking.isLocked = false;
  // The lock is free by now, yet an earlier operation waits.
  const second = locking.run("second");
  assertEquals(locking.done, []);
  locking.clock.advance(1);
  assertEquals(await Promise.all([first, second]), ["first", "second"]);
  assertEquals(locking.done, ["first", "second"]);
});

Deno.test("SqliteQueue gives up a waiting operation at the time-out, for good, and goes on with the next", async () => {
  const locking = new Locking();
  const first = assertRejects(() => locking.run("first"), ServiceError, "for 1000 ms");
  locking.clock.advance(WAIT_MS / 2);
  const second = locking.run("second");
  locking.clock.advance(WAIT_MS / 2);
  assertEquals((await first).code, "store_unavailable");
  assertEquals(locking.timeUps.length, 1);
  locking.isLocked = false;
  locking.clock.advance(WAIT_MS);
  assertEquals([await second, locking.done], ["second", ["second"]]);
  assertEquals(locking.clock.pendingTimers, 0);
});

Deno.test("SqliteQueue tries a locked file with growing pauses, and notices within 25 ms that it is free", async () => {
  const locking = new Locking();
  const running = locking.run("a");
  locking.clock.advance(900);
  // 1 + 2 + 4 + 8 + 16 ms, then every 25 ms.
  assertEquals(locking.attempts, 1 + 5 + Math.floor((900 - 31) / 25));
  locking.isLocked = false;
  locking.clock.advance(25);
  assertEquals(await running, "a");
});

Deno.test("SqliteQueue shares the event loop between many operations that have waited", async () => {
  const locking = new Locking();
  const all = Array.from({ length: 100 }, (_, i) => locking.run(`${i}`));
  locking.isLocked = false;
  locking.clock.advance(1);
  assertEquals(await Promise.all(all), locking.done);
  assertEquals(locking.clock.turns, Math.floor(100 / 8));
});

Deno.test("SqliteQueue gives an operation that asks for it another turn, before those that came later", async () => {
  const { queue, clock } = new Locking();
  const done: string[] = [];
  let left = 3;
  const long = queue.run(() => left-- > 0 ? AGAIN : done.push("long"));
  const short = queue.run(() => done.push("short"));
  clock.advance(1);
  await Promise.all([long, short]);
  assertEquals(done, ["long", "short"]);
});

Deno.test("SqliteQueue refuses operations beyond those that may wait", async () => {
  const locking = new Locking();
  const waiting = Array.from({ length: MAX_WAITING }, () => locking.run("waiting").catch(() => {}));
  const error = await assertRejects(() => locking.run("one more"), ServiceError);
  assertEquals(error.code, "store_unavailable");
  locking.clock.advance(WAIT_MS);
  await Promise.all(waiting);
});
