import { assert, assertEquals, assertRejects } from "@std/assert";
import { ChangeQueue, MAX_WAITING_CHANGES } from "../../../src/cache/change_queue.ts";
import { ServiceError } from "../../../src/core/errors.ts";
import { cacheKey } from "../../../src/core/key.ts";
import { LeavingCaller, PATIENT } from "../../support/cache/caller.ts";
import { seededRandom, withSeed } from "../../support/seeded_random.ts";

const KEY = cacheKey("n", "k");

/** The fields of a write, a letter each. A later write covers an earlier one that has no other fields. */
type Fields = string;

function covers(later: Fields, earlier: Fields): boolean {
  return [...earlier].every((field) => later.includes(field));
}

/** A change that the test ends, and what has become of the call that waits for it. */
class TestChange {
  readonly caller = new LeavingCaller();
  readonly written: Fields | undefined;
  readonly #end = Promise.withResolvers<void>();
  readonly #onMade: (change: TestChange) => void;
  outcome: "waits" | "done" | "failed" | "left" | "refused" = "waits";

  /** `onMade` is called when it begins. */
  constructor(written: Fields | undefined, onMade: (change: TestChange) => void) {
    this.written = written;
    this.#onMade = onMade;
  }

  make(): Promise<void> {
    this.#onMade(this);
    return this.#end.promise;
  }

  end(how: "done" | "failed"): void {
    if (how === "done") this.#end.resolve();
    else this.#end.reject(new Error("failed"));
  }

  isOver(earlier: TestChange): boolean {
    if (this.written === undefined) return true;
    return earlier.written !== undefined && covers(this.written, earlier.written);
  }
}

/** A queue, and what it makes. */
class Setting {
  readonly queue = new ChangeQueue<Fields>({ covers, tier: "database" });
  readonly made: TestChange[] = [];

  begin(written: Fields | undefined, key = KEY): TestChange {
    const change = new TestChange(written, (begun) => this.made.push(begun));
    this.queue.run(key, change.caller, change).then(
      () => change.outcome = "done",
      (error) => {
        if (!(error instanceof ServiceError)) change.outcome = "failed";
        else change.outcome = error.code === "cancelled" ? "left" : "refused";
      },
    );
    return change;
  }
}

/** The longest run of changes whose last covers all others, by its definition. */
function longestCovered(waiting: readonly TestChange[]): TestChange[] {
  for (let count = waiting.length; count > 1; count--) {
    const run = waiting.slice(0, count);
    if (run.every((each) => run.at(-1)!.isOver(each))) return run;
  }
  return waiting.slice(0, 1);
}

/** Lets every promise settle that can by itself. */
async function settle(): Promise<void> {
  for (let hop = 0; hop < 10; hop++) await Promise.resolve();
}

Deno.test("ChangeQueue makes one change at a time and answers those it covers, as a model does, also when callers leave", async () => {
  await withSeed(async (seed) => {
    let coveredInAll = 0;
    for (let schedule = 0; schedule < 150; schedule++) {
      const random = seededRandom(seed + schedule);
      const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)]!;
      const setting = new Setting();
      const all: TestChange[] = [];
      let waiting: TestChange[] = [];
      let underWay: TestChange[] = [];
      const expected = new Map<TestChange, TestChange["outcome"]>();
      for (let step = 0; step < 60; step++) {
        const dice = random();
        if (dice < 0.6) {
          const change = setting.begin(pick([undefined, "a", "b", "ab", "ab", "abc"]));
          all.push(change);
          expected.set(change, "waits");
          if (underWay.length === 0) underWay = [change];
          else waiting.push(change);
        } else if (dice < 0.75 && all.length > 0) {
          const change = pick(all);
          change.caller.leave();
          if (waiting.includes(change)) expected.set(change, "left");
          waiting = waiting.filter((each) => each !== change);
        } else if (underWay.length > 0) {
          const how = random() < 0.8 ? "done" : "failed";
          underWay.at(-1)!.end(how);
          for (const change of underWay) expected.set(change, how);
          underWay = longestCovered(waiting);
          waiting = waiting.slice(underWay.length);
          coveredInAll += Math.max(0, underWay.length - 1);
        }
        await settle();
        assertEquals(setting.made.at(-1), underWay.at(-1) ?? setting.made.at(-1), "another is made");
        assertEquals(all.map(({ outcome }) => outcome), all.map((change) => expected.get(change)));
      }
      const begun = new Set(setting.made);
      assertEquals(begun.size, setting.made.length, "one was made twice");
      assert(
        all.every((change) => change.outcome !== "left" || !begun.has(change)),
        "one was made that had left",
      );
    }
    assert(coveredInAll > 300, `only ${coveredInAll} changes were covered`);
  });
});

Deno.test("ChangeQueue makes two changes for any number of waiting writes and removals", async () => {
  const setting = new Setting();
  const first = setting.begin("a");
  const crowd = Array.from({ length: 100 }, (_, index) => setting.begin(index % 3 === 1 ? undefined : "a"));
  first.end("done");
  await settle();
  const [removal, write] = [crowd[97]!, crowd[99]!];
  assertEquals(setting.made.slice(1), [removal]);
  removal.end("done");
  await settle();
  assertEquals(setting.made.slice(1), [removal, write]);
  assertEquals(crowd.filter(({ outcome }) => outcome === "done"), crowd.slice(0, 98));
  write.end("done");
  await settle();
  assertEquals(crowd.every(({ outcome }) => outcome === "done"), true);
});

Deno.test("ChangeQueue.run() begins nothing for a caller that has left, also if no change is under way", async () => {
  const setting = new Setting();
  const caller = new LeavingCaller();
  caller.leave();
  const change = new TestChange("a", (begun) => setting.made.push(begun));
  const error = await assertRejects(() => setting.queue.run(KEY, caller, change), ServiceError);
  assertEquals([error.code, error.hadNoEffect], ["cancelled", true]);
  assertEquals(setting.made, []);
  assertEquals(setting.begin("a"), setting.made[0], "the key is free");
});

Deno.test("ChangeQueue.run() completes a change that has begun when its caller leaves", async () => {
  const setting = new Setting();
  const first = setting.begin("a");
  const second = setting.begin("a");
  first.caller.leave();
  await settle();
  assertEquals([first.outcome, second.outcome], ["waits", "waits"]);
  first.end("done");
  await settle();
  second.caller.leave();
  second.end("done");
  await settle();
  assertEquals([first.outcome, second.outcome], ["done", "done"]);
});

Deno.test("ChangeQueue.run() refuses a change at once when too many wait, until one leaves", async () => {
  const setting = new Setting();
  setting.begin("a");
  const waiting = Array.from({ length: MAX_WAITING_CHANGES }, () => setting.begin("a"));
  const more = new TestChange("a", (begun) => setting.made.push(begun));
  const error = await assertRejects(() => setting.queue.run(KEY, PATIENT, more), ServiceError, "are waiting");
  assertEquals([error.code, error.tier, error.hadNoEffect], ["store_unavailable", "database", true]);
  assertEquals(setting.begin("a", cacheKey("n", "other")), setting.made.at(-1), "other keys do not wait");
  waiting[0]!.caller.leave();
  await settle();
  const last = setting.begin("a");
  await settle();
  assertEquals([waiting[0]!.outcome, last.outcome], ["left", "waits"]);
});

Deno.test("ChangeQueue.run() goes on with the next change when making one throws at once", async () => {
  const setting = new Setting();
  const broken = {
    written: undefined,
    make: (): Promise<void> => {
      throw new TypeError("broken");
    },
  };
  await assertRejects(() => setting.queue.run(KEY, PATIENT, broken), TypeError);
  assertEquals(setting.begin("a"), setting.made[0]);
});
