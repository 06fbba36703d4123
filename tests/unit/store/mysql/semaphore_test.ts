import { assertEquals, assertRejects } from "@std/assert";
import { DeadlineQueue } from "../../../../src/core/deadline_queue.ts";
import { Semaphore } from "../../../../src/store/mysql/semaphore.ts";
import { FakeClock } from "../../../support/fake_clock.ts";

const SIGNAL = new AbortController().signal;

Deno.test("Semaphore grants permits in the order of arrival", async () => {
  const semaphore = new Semaphore(1, new DeadlineQueue(new FakeClock(), 1_000));
  await semaphore.acquire(SIGNAL);
  const order: string[] = [];
  const first = semaphore.acquire(SIGNAL).then(() => order.push("first"));
  const second = semaphore.acquire(SIGNAL).then(() => order.push("second"));
  semaphore.release();
  await first;
  assertEquals(order, ["first"]);
  semaphore.release();
  await second;
  assertEquals(order, ["first", "second"]);
});

Deno.test("Semaphore.acquire() rejects at its time-out, and the permit goes to a later caller", async () => {
  const clock = new FakeClock();
  const semaphore = new Semaphore(1, new DeadlineQueue(clock, 1_000));
  await semaphore.acquire(SIGNAL);
  const late = assertRejects(
    () => semaphore.acquire(SIGNAL),
    DOMException,
    "No permit was free within 1000 ms",
  );
  clock.advance(1_000);
  await late;
  semaphore.release();
  await semaphore.acquire(SIGNAL);
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("Semaphore.acquire() rejects a caller that is aborted, before or while it waits", async () => {
  const clock = new FakeClock();
  const semaphore = new Semaphore(1, new DeadlineQueue(clock, 1_000));
  await assertRejects(() => semaphore.acquire(AbortSignal.abort(new Error("gone"))), Error, "gone");
  await semaphore.acquire(SIGNAL);
  const caller = new AbortController();
  const waiting = assertRejects(() => semaphore.acquire(caller.signal), Error, "gone");
  caller.abort(new Error("gone"));
  await waiting;
  semaphore.release();
  await semaphore.acquire(SIGNAL);
});
