import { assertEquals } from "@std/assert";
import { ClusterMembership } from "../../../../../src/store/redis/cluster/membership.ts";
import type { ClusterView } from "../../../../../src/store/redis/cluster/view.ts";
import { FakeClock } from "../../../../support/fake_clock.ts";

/** Answers: the name of each asked node, its id, and the other ids that it knows, all of masters. */
type Answers = Readonly<Record<string, readonly [id: string, ...known: string[]]>>;

function viewOf([id, ...others]: readonly [string, ...string[]]): ClusterView {
  const known = [id, ...others];
  return {
    id,
    known: new Set(known),
    isJoining: false,
    masters: known.map((each, index) => ({
      id: each,
      name: each,
      address: { hostname: each, port: 1 },
      epoch: 1,
      slots: [[index, index]],
    })),
    moving: new Map(),
  };
}

function setUp(...seeds: readonly string[]) {
  const clock = new FakeClock();
  const membership = new ClusterMembership(seeds, clock);
  const left = new Set<string>();
  let masters: readonly string[] = [];
  return {
    clock,
    membership,
    left,
    /** The names of the members, and of all masters known from then on. */
    decide(answers: Answers): string[] | undefined {
      const views = new Map(Object.entries(answers).map(([name, ids]) => [name, viewOf(ids)]));
      const decision = membership.decide(views, { masters, left });
      if (decision === undefined) return undefined;
      masters = [...new Set([...masters, ...decision.members.keys()])];
      return [...decision.members.keys()];
    },
  };
}

const HOME: Answers = { a: ["A", "B", "C"], b: ["B", "A", "C"], c: ["C", "A", "B"] };

Deno.test("ClusterMembership drops a node that joined another cluster, whatever its epoch", () => {
  const { decide } = setUp("a", "b", "x");
  const all = { ...HOME, x: ["X", "A", "B", "C"] } as const;
  assertEquals(decide(all), ["a", "b", "c"], "known by none");
  for (const id of ["X", "N"]) {
    assertEquals(decide({ ...HOME, x: [id, "F1", "F2"] }), ["a", "b", "c"]);
    assertEquals(decide({ ...HOME, x: [id] }), ["a", "b", "c"], "reset");
  }
});

Deno.test("ClusterMembership keeps nodes that some members do not know yet, or no longer", () => {
  const { decide } = setUp("a");
  assertEquals(decide(HOME), ["a", "b", "c"]);
  assertEquals(decide({ ...HOME, a: ["A", "B", "C", "N"], n: ["N", "A"] }), ["a", "b", "c", "n"], "joining");
  assertEquals(decide({ ...HOME, a: ["A", "B"] }), ["a", "b", "c"], "forgotten by one");
});

Deno.test("ClusterMembership keeps to an answering minority, but not to one that was reset", () => {
  const { decide } = setUp("a", "b", "c");
  decide(HOME);
  assertEquals(decide({ c: ["C", "A", "B"] }), ["c"]);
  assertEquals(decide({ c: ["C"] }), undefined);
  assertEquals(decide({ c: ["C", "F1", "F2", "F3"] }), undefined);
  assertEquals(decide({ b: ["B", "A", "C"], c: ["C"] }), ["b"]);
});

Deno.test("ClusterMembership follows a failover to the end, with the dead master forgotten", () => {
  const { decide } = setUp("a", "b", "c");
  decide(HOME);
  const during: Answers = { b: ["B", "A", "C", "R"], c: ["C", "A", "B", "R"], r: ["R", "A", "B", "C"] };
  assertEquals(decide(during), ["b", "c", "r"]);
  const after: Answers = { b: ["B", "C", "R"], c: ["C", "B", "R"], r: ["R", "B", "C"] };
  assertEquals(decide(after), ["b", "c", "r"]);
});

Deno.test("ClusterMembership follows a cluster made anew once most of the nodes describe it", () => {
  for (const seeds of [["a", "b", "c"], ["a"]]) {
    const { decide, membership } = setUp(...seeds);
    decide(HOME);
    assertEquals(decide({ ...HOME, a: ["N1"] }), ["b", "c"]);
    assertEquals(decide({ ...HOME, a: ["N1"], b: ["N2"] }), ["c"]);
    assertEquals(decide({ a: ["N1"], b: ["N2"], c: ["N3"] }), undefined);
    const anew: Answers = { a: ["N1", "N2"], b: ["N2", "N1", "N3"], c: ["N3", "N2"] };
    assertEquals(decide(anew), ["a", "b", "c"]);
    assertEquals(decide({ ...anew, c: ["C", "A", "B"] }), ["a", "b"], "one of the old is back");
    assertEquals(membership.isConfirmed, true);
  }
});

Deno.test("ClusterMembership follows the majority if one node of the old cluster is left", () => {
  const { decide } = setUp("a", "b", "c");
  decide(HOME);
  assertEquals(decide({ a: ["N1", "N2", "N4"], b: ["N2", "N1", "N4"], c: ["C", "A", "B"] }), ["a", "b"]);
});

Deno.test("ClusterMembership follows most of the seeds once all members have been silent for a minute", () => {
  const { clock, decide, left } = setUp("s", "t");
  decide({ ...HOME, s: HOME.a!, t: HOME.b! });
  const elsewhere: Answers = { s: ["N1", "N2"], t: ["N2", "N1"] };
  clock.advance(59_999);
  assertEquals(decide(elsewhere), undefined);
  clock.advance(1);
  left.add("t");
  assertEquals(decide(elsewhere), undefined, "one that has left has no say");
  left.clear();
  assertEquals(decide({ s: elsewhere.s! }), undefined, "half of them");
  assertEquals(decide(elsewhere), ["s", "t"]);
});

Deno.test("ClusterMembership waits for most seeds at the start, but no longer than five seconds", () => {
  const { decide, membership } = setUp("x", "a", "b");
  const stray = { x: ["X", "F"] } as const;
  assertEquals([decide(stray), membership.isOverdue], [undefined, false]);
  assertEquals(decide({ ...stray, ...HOME }), ["a", "b", "c"]);

  const late = setUp("x", "a", "b");
  late.decide(stray);
  late.clock.advance(5000);
  assertEquals(late.decide({ ...stray, a: HOME.a! }), undefined, "one against one");
  assertEquals([late.membership.isDecided, late.membership.isOverdue], [false, true]);
  assertEquals(late.decide(stray), ["x"]);
  assertEquals(late.membership.isConfirmed, false);
  assertEquals(
    late.decide({ ...stray, ...HOME, f: ["F", "X"] }),
    ["a", "b", "c"],
    "masters of a few seeds' word",
  );
  assertEquals(late.membership.isConfirmed, true);
});

Deno.test("ClusterMembership does not adopt the cluster of one seed that has left, however long the others are away", () => {
  const { clock, decide, left } = setUp("x");
  decide({ ...HOME, x: ["X", "A", "B", "C"], a: ["A", "B", "C", "X"] });
  assertEquals(decide({ ...HOME, x: ["X", "F"] }), ["a", "b", "c"]);
  left.add("x");
  for (let minutes = 0; minutes < 10; minutes++) {
    clock.advance(60_000);
    assertEquals(decide({ x: ["X", "F"] }), undefined);
  }
  assertEquals(decide(HOME), ["a", "b", "c"]);
});
