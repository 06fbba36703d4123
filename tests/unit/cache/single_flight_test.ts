import { assert, assertEquals, assertRejects } from "@std/assert";
import { SingleFlight } from "../../../src/cache/single_flight.ts";
import { ServiceError } from "../../../src/core/errors.ts";
import type { Caller } from "../../../src/core/ports.ts";
import { asFound } from "../../support/cache/as_found.ts";
import { LeavingCaller, PATIENT } from "../../support/cache/caller.ts";
import { turn } from "../../support/turn.ts";

/** Work that the test ends. */
class Work {
  readonly begun: {
    readonly key: string;
    readonly signal: AbortSignal;
    readonly end: PromiseWithResolvers<string>;
  }[] = [];
  readonly #flights = new SingleFlight<string, string>();

  join(key: string, caller: Caller = PATIENT): Promise<string> {
    return this.answered(key, caller, asFound);
  }

  answered<R>(key: string, caller: Caller, answer: (result: string) => R): Promise<R> {
    const begin = (signal: AbortSignal) => {
      const end = Promise.withResolvers<string>();
      this.begun.push({ key, signal, end });
      return end.promise;
    };
    return this.#flights.join(key, caller, begin, answer);
  }

  forget(key: string): void {
    this.#flights.forget(key);
  }

  get keys(): string[] {
    return this.begun.map(({ key }) => key);
  }
}

async function assertLeft(waiting: Promise<unknown>): Promise<void> {
  assertEquals((await assertRejects(() => waiting, ServiceError)).code, "cancelled");
}

Deno.test("SingleFlight.join() gives all callers of one key the result of one piece of work", async () => {
  const work = new Work();
  const waiting = [1, 2, 3].map(() => work.join("k"));
  work.begun[0]!.end.resolve("found");
  assertEquals(await Promise.all(waiting), ["found", "found", "found"]);
  assertEquals(work.keys, ["k"]);
});

Deno.test("SingleFlight.join() gives all callers the rejection of the work", async () => {
  const work = new Work();
  const waiting = [1, 2].map(() => assertRejects(() => work.join("k"), Error, "broken"));
  work.begun[0]!.end.reject(new Error("broken"));
  await Promise.all(waiting);
});

Deno.test("SingleFlight.join() starts new work once the last has ended, in success or failure", async () => {
  const work = new Work();
  const first = work.join("k");
  work.begun[0]!.end.resolve("first");
  await first;
  const second = assertRejects(() => work.join("k"), Error, "second");
  work.begun[1]!.end.reject(new Error("second"));
  await second;
  work.join("k");
  assertEquals(work.keys, ["k", "k", "k"]);
});

Deno.test("SingleFlight.join() resolves each caller to its own response, and rejects the one whose `respond` throws", async () => {
  const work = new Work();
  const length = work.answered("k", PATIENT, (result) => result.length);
  const refused = assertRejects(
    () =>
      work.answered("k", PATIENT, () => {
        throw new Error("refused");
      }),
    Error,
    "refused",
  );
  const text = work.answered("k", PATIENT, asFound);
  work.begun[0]!.end.resolve("found");
  await refused;
  assertEquals([await length, await text], [5, "found"]);
});

Deno.test("SingleFlight does not answer a caller that has left", async () => {
  const work = new Work();
  const caller = new LeavingCaller();
  let answers = 0;
  const left = assertLeft(work.answered("k", caller, () => answers++));
  const stays = work.join("k");
  caller.leave();
  work.begun[0]!.end.resolve("found");
  await left;
  assertEquals([await stays, answers], ["found", 0]);
});

Deno.test("SingleFlight keeps keys apart", async () => {
  const work = new Work();
  const waiting = ["a", "b"].map((key) => work.join(key));
  work.begun.forEach(({ key, end }) => end.resolve(`of ${key}`));
  assertEquals(await Promise.all(waiting), ["of a", "of b"]);
});

Deno.test("SingleFlight continues for the other callers when the first one leaves", async () => {
  const work = new Work();
  const first = new LeavingCaller();
  const left = assertLeft(work.join("k", first));
  const stays = work.join("k");
  first.leave();
  await left;
  assertEquals(work.begun[0]!.signal.aborted, false);
  work.begun[0]!.end.resolve("found");
  assertEquals(await stays, "found");
});

Deno.test("SingleFlight aborts the work when the last caller has left, and later callers do not join it", async () => {
  const work = new Work();
  const callers = [new LeavingCaller(), new LeavingCaller()];
  const left = callers.map((caller) => assertLeft(work.join("k", caller)));
  callers.forEach((caller) => caller.leave());
  await Promise.all(left);
  assert(work.begun[0]!.signal.aborted);
  const next = work.join("k");
  work.begun[0]!.end.reject(new Error("aborted"));
  work.begun[1]!.end.resolve("found");
  assertEquals(await next, "found");
});

Deno.test("SingleFlight.join() begins no work for a caller that has already left", async () => {
  const work = new Work();
  const caller = new LeavingCaller();
  caller.leave();
  await assertLeft(work.join("k", caller));
  assertEquals(work.keys, []);
});

Deno.test("SingleFlight.join() rejects a caller that leaves before the work has stopped", async () => {
  const work = new Work();
  const caller = new LeavingCaller();
  const waiting = assertLeft(work.join("k", caller));
  caller.leave();
  await waiting;
});

Deno.test("SingleFlight.forget() gives its result to the callers in flight, and a newer one to later callers", async () => {
  const work = new Work();
  const before = work.join("k");
  work.forget("k");
  const after = work.join("k");
  work.begun[0]!.end.resolve("old");
  assertEquals(await before, "old");
  const joined = work.join("k");
  work.begun[1]!.end.resolve("new");
  assertEquals(await Promise.all([after, joined]), ["new", "new"]);
  assertEquals(work.keys, ["k", "k"]);
});

Deno.test("SingleFlight aborts forgotten work when its last caller has left, and not later work", async () => {
  const work = new Work();
  const caller = new LeavingCaller();
  const left = assertLeft(work.join("k", caller));
  work.forget("k");
  const after = work.join("k");
  caller.leave();
  await left;
  assertEquals(work.begun.map(({ signal }) => signal.aborted), [true, false]);
  const joined = work.join("k");
  work.begun[1]!.end.resolve("new");
  assertEquals(await Promise.all([after, joined]), ["new", "new"]);
});

Deno.test("SingleFlight ignores a caller that leaves after the end", async () => {
  const work = new Work();
  const caller = new LeavingCaller();
  const waiting = work.join("k", caller);
  work.begun[0]!.end.resolve("found");
  assertEquals(await waiting, "found");
  caller.leave();
  await turn();
  assertEquals(work.begun[0]!.signal.aborted, false);
});
