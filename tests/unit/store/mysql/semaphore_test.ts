import { assertEquals, assertRejects } from "@std/assert";
import { DeadlineQueue } from "../../../../src/core/deadline_queue.ts";
import { Slots } from "../../../../src/store/mysql/semaphore.ts";
import { FakeClock } from "../../../support/fake_clock.ts";

const SIGNAL = new AbortController().signal;

Deno.test("Slots gives a place to those who wait in the order of asking", async () => {
  const slots = new Slots(1, new DeadlineQueue(new FakeClock(), 1_000));
  await slots.take(SIGNAL);
  const order: string[] = [];
  const first = slots.take(SIGNAL).then(() => order.push("first"));
  const second = slots.take(SIGNAL).then(() => order.push("second"));
  slots.give();
  await first;
  assertEquals(order, ["first"]);
  slots.give();
  await second;
  assertEquals(order, ["first", "second"]);
});

Deno.test("Slots lets nobody wait longer than asked for, nor gives them a place afterwards", async () => {
  const clock = new FakeClock();
  const slots = new Slots(1, new DeadlineQueue(clock, 1_000));
  await slots.take(SIGNAL);
  const late = assertRejects(
    () => slots.take(SIGNAL),
    DOMException,
    "No place was free within 1000 ms",
  );
  clock.advance(1_000);
  await late;
  slots.give();
  await slots.take(SIGNAL);
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("Slots lets go of a caller that is aborted, before or while it waits", async () => {
  const clock = new FakeClock();
  const slots = new Slots(1, new DeadlineQueue(clock, 1_000));
  await assertRejects(() => slots.take(AbortSignal.abort(new Error("gone"))), Error, "gone");
  await slots.take(SIGNAL);
  const caller = new AbortController();
  const waiting = assertRejects(() => slots.take(caller.signal), Error, "gone");
  caller.abort(new Error("gone"));
  await waiting;
  slots.give();
  await slots.take(SIGNAL);
});
