import { assert, assertEquals, assertRejects } from "@std/assert";
import { SingleFlight } from "../../../src/cache/single_flight.ts";
import { ServiceError } from "../../../src/core/errors.ts";
import { turn } from "../../support/turn.ts";

const STAYS = new AbortController().signal;

/** Work that ends when the test says so. */
class Work {
  readonly begun: {
    readonly key: string;
    readonly signal: AbortSignal;
    readonly end: PromiseWithResolvers<string>;
  }[] = [];
  readonly flights = new SingleFlight<string, string>();

  join(key: string, signal: AbortSignal): Promise<string> {
    return this.flights.join(key, signal, (flight) => {
      const end = Promise.withResolvers<string>();
      this.begun.push({ key, signal: flight, end });
      return end.promise;
    });
  }

  get keys(): string[] {
    return this.begun.map(({ key }) => key);
  }
}

async function assertGone(waiting: Promise<unknown>): Promise<void> {
  assertEquals((await assertRejects(() => waiting, ServiceError)).code, "cancelled");
}

Deno.test("SingleFlight.join() gives all callers of one key the result of one piece of work", async () => {
  const work = new Work();
  const waiting = [1, 2, 3].map(() => work.join("k", STAYS));
  work.begun[0]!.end.resolve("found");
  assertEquals(await Promise.all(waiting), ["found", "found", "found"]);
  assertEquals(work.keys, ["k"]);
});

Deno.test("SingleFlight.join() gives all callers the rejection of the work", async () => {
  const work = new Work();
  const waiting = [1, 2].map(() => assertRejects(() => work.join("k", STAYS), Error, "broken"));
  work.begun[0]!.end.reject(new Error("broken"));
  await Promise.all(waiting);
});

Deno.test("SingleFlight.join() starts anew once the work has ended, well or not", async () => {
  const work = new Work();
  const first = work.join("k", STAYS);
  work.begun[0]!.end.resolve("first");
  await first;
  const second = assertRejects(() => work.join("k", STAYS), Error, "second");
  work.begun[1]!.end.reject(new Error("second"));
  await second;
  work.join("k", STAYS);
  assertEquals(work.keys, ["k", "k", "k"]);
});

Deno.test("SingleFlight keeps keys apart", async () => {
  const work = new Work();
  const waiting = ["a", "b"].map((key) => work.join(key, STAYS));
  work.begun.forEach(({ key, end }) => end.resolve(`of ${key}`));
  assertEquals(await Promise.all(waiting), ["of a", "of b"]);
});

Deno.test("SingleFlight goes on for those who stay when the first caller leaves", async () => {
  const work = new Work();
  const first = new AbortController();
  const left = assertGone(work.join("k", first.signal));
  const stays = work.join("k", STAYS);
  first.abort();
  await left;
  assertEquals(work.begun[0]!.signal.aborted, false);
  work.begun[0]!.end.resolve("found");
  assertEquals(await stays, "found");
});

Deno.test("SingleFlight aborts the work when the last caller has left, and nobody joins it then", async () => {
  const work = new Work();
  const callers = [new AbortController(), new AbortController()];
  const left = callers.map(({ signal }) => assertGone(work.join("k", signal)));
  callers.forEach((caller) => caller.abort());
  await Promise.all(left);
  assert(work.begun[0]!.signal.aborted);
  const next = work.join("k", STAYS);
  work.begun[0]!.end.reject(new Error("aborted"));
  work.begun[1]!.end.resolve("found");
  assertEquals(await next, "found");
});

Deno.test("SingleFlight.join() begins no work for a caller that has already gone", async () => {
  const work = new Work();
  await assertGone(work.join("k", AbortSignal.abort()));
  assertEquals(work.keys, []);
});

Deno.test("SingleFlight.join() rejects a caller that leaves before the work has stopped", async () => {
  const work = new Work();
  const caller = new AbortController();
  const waiting = assertGone(work.join("k", caller.signal));
  caller.abort(new Error("why"));
  await waiting;
});

Deno.test("SingleFlight.forget() lets those in flight have its result, and later callers a newer one", async () => {
  const work = new Work();
  const before = work.join("k", STAYS);
  work.flights.forget("k");
  const after = work.join("k", STAYS);
  work.begun[0]!.end.resolve("old");
  assertEquals(await before, "old");
  const joined = work.join("k", STAYS);
  work.begun[1]!.end.resolve("new");
  assertEquals(await Promise.all([after, joined]), ["new", "new"]);
  assertEquals(work.keys, ["k", "k"]);
});

Deno.test("SingleFlight aborts forgotten work when its last caller has left, not what was begun since", async () => {
  const work = new Work();
  const caller = new AbortController();
  const left = assertGone(work.join("k", caller.signal));
  work.flights.forget("k");
  const after = work.join("k", STAYS);
  caller.abort();
  await left;
  assertEquals(work.begun.map(({ signal }) => signal.aborted), [true, false]);
  const joined = work.join("k", STAYS);
  work.begun[1]!.end.resolve("new");
  assertEquals(await Promise.all([after, joined]), ["new", "new"]);
});

Deno.test("SingleFlight holds nothing against a caller that leaves after the end", async () => {
  const work = new Work();
  const caller = new AbortController();
  const waiting = work.join("k", caller.signal);
  work.begun[0]!.end.resolve("found");
  assertEquals(await waiting, "found");
  caller.abort();
  await turn();
  assertEquals(work.begun[0]!.signal.aborted, false);
});
