import { assertEquals } from "@std/assert";
import type { Bounds } from "./bounds.ts";
import type { History } from "./history.ts";
import { checkHistory } from "./history_checker.ts";
import { Story } from "./story.ts";
import type { Rule } from "./violation.ts";

/** Secrets of other replicas may lag by 100 ms, and by 1000 around a fault and for 500 after it. */
const BOUNDS: Bounds = {
  graceMs: { namespaced: { calm: 0, disturbed: 0 }, secret: { calm: 100, disturbed: 1000 } },
  recoveryMs: 500,
  lingerMs: 200,
  lateMs: { namespaced: 10, secret: Infinity },
};

const UNKNOWN = { outcome: "unknown" } as const;

function rules(history: History): Rule[] {
  return checkHistory(history, BOUNDS).map(({ rule }) => rule);
}

const namespaced = () => new Story("namespaced");
const secret = () => new Story("secret");

/** Adds reads that fail. */
function failing(count: number, story: Story): Story {
  for (let at = 1; at <= count; at++) story.failedToRead([at, at + 1]);
  return story;
}

/** The violations that each history must be found to have. */
const HISTORIES: readonly (readonly [string, History, readonly Rule[]])[] = [
  ["accepts a key that was never there", namespaced().read([0, 1], undefined).history(), []],
  ["accepts what was written", namespaced().wrote([0, 1], "a").read([2, 3], "a").history(), []],
  ["refuses what was never written", namespaced().wrote([0, 1], "a").read([2, 3], "b").history(), [
    "unwritten value",
  ]],
  ["refuses what is written only later", namespaced().read([0, 1], "a").wrote([2, 3], "a").history(), [
    "unwritten value",
  ]],
  [
    "refuses an acknowledged write that is lost",
    namespaced().wrote([0, 1], "a").read([2, 3], undefined).history(),
    [
      "false miss",
    ],
  ],
  [
    "refuses a value that a later write has replaced",
    namespaced().wrote([0, 1], "a").wrote([2, 3], "b").read([4, 5], "a").history(),
    ["stale value"],
  ],
  [
    "refuses a value that was deleted",
    namespaced().wrote([0, 1], "a").deleted([2, 3]).read([4, 5], "a").history(),
    [
      "deleted value",
    ],
  ],
  [
    "accepts either of two writes at once",
    namespaced().wrote([0, 9], "a").wrote([1, 8], "b").read([10, 11], "a").read([12, 13], "a").history(),
    [],
  ],
  [
    "refuses first the one and then the other once both have ended",
    namespaced().wrote([0, 9], "a").wrote([1, 8], "b").read([10, 11], "a").read([12, 13], "b").history(),
    ["returned value"],
  ],
  [
    "refuses that they take turns while they are under way",
    namespaced().wrote([0, 99], "a").wrote([1, 98], "b").read([10, 11], "a").read([12, 13], "b")
      .read([14, 15], "a").history(),
    ["returned value"],
  ],
  [
    "accepts turns within the grace",
    secret().wrote([0, 9], "a").wrote([1, 8], "b").read([10, 11], "a").read([100, 101], "b", { at: "2" })
      .history(),
    [],
  ],
  [
    "accepts either side of a write that is under way",
    namespaced().wrote([0, 1], "a").wrote([2, 9], "b").read([3, 4], "a").read([5, 6], "b").history(),
    [],
  ],
  [
    "refuses the value from before one that a client has seen",
    namespaced().wrote([0, 1], "a").wrote([2, 9], "b").read([3, 4], "b").read([5, 6], "a").history(),
    ["stale value"],
  ],
  [
    "accepts that a failed write takes effect, never or late",
    namespaced().wrote([0, 1], "a").wrote([2, 3], "b", UNKNOWN).read([4, 5], "a").read([6, 7], "b").history(),
    [],
  ],
  [
    "accepts that a failed write undoes one that was acknowledged before it was too late for it",
    namespaced().wrote([2, 3], "b", UNKNOWN).wrote([12, 14], "a").read([15, 16], "b").history(),
    [],
  ],
  [
    "refuses that a failed write undoes one that began when it was too late for it",
    namespaced().wrote([2, 3], "b", UNKNOWN).wrote([14, 15], "a", { at: "2" }).read([16, 17], "b").history(),
    ["stale value"],
  ],
  [
    "refuses that a failed delete undoes a write that began when it was too late for it",
    namespaced().deleted([2, 3], UNKNOWN).wrote([14, 15], "a", { at: "2" }).read([16, 17], undefined)
      .history(),
    ["false miss"],
  ],
  [
    "counts that from the end of a freeze of the process",
    namespaced().wrote([2, 3], "b", UNKNOWN).fault([1, 9], { freezes: "1" }).wrote([14, 15], "a", { at: "2" })
      .read([16, 17], "b").history(),
    [],
  ],
  [
    "does not count it from the freeze of another one",
    namespaced().wrote([2, 3], "b", UNKNOWN).fault([1, 9], { freezes: "2" }).wrote([14, 15], "a", { at: "2" })
      .read([16, 17], "b").history(),
    ["stale value"],
  ],
  [
    "accepts that a secret's failed write takes effect at any later time",
    secret().wrote([2, 3], "b", UNKNOWN).wrote([14, 15], "a").read([900, 901], "b").history(),
    [],
  ],
  [
    "refuses that a failed write is undone once it was seen",
    namespaced().wrote([0, 1], "a").wrote([2, 3], "b", UNKNOWN).read([4, 5], "b").read([6, 7], "a").history(),
    ["stale value"],
  ],
  [
    "accepts that a failed delete takes effect, never or late",
    namespaced().wrote([0, 1], "a").deleted([2, 3], UNKNOWN).read([4, 5], "a").read([6, 7], undefined)
      .history(),
    [],
  ],
  [
    "accepts that a crash undoes a commit that was seen but not acknowledged",
    secret().wrote([0, 1], "a").wrote([2, 3], "b", UNKNOWN).read([4, 5], "b")
      .fault([6, 7], { crashesDatabase: true }).read([2000, 2001], "a").history(),
    [],
  ],
  [
    "refuses that a commit that was seen is undone by anything else",
    secret().wrote([0, 1], "a").wrote([2, 3], "b", UNKNOWN).read([4, 5], "b").fault([6, 7])
      .read([2000, 2001], "a").history(),
    ["stale value"],
  ],
  [
    "accepts that a few calls fail during a fault that should affect none",
    failing(3, secret().fault([0, 100], { concernsOthers: false })).history(),
    [],
  ],
  [
    "refuses that many fail",
    failing(4, secret().fault([0, 100], { concernsOthers: false })).history(),
    ["unavailable"],
  ],
  [
    "accepts that many fail if another fault may be the cause, or has just ended",
    failing(4, secret().fault([0, 100], { concernsOthers: false }).fault([-400, -300])).history(),
    [],
  ],
  [
    "accepts that an emptied Redis forgets entries",
    namespaced().wrote([0, 1], "a").fault([2, 3], { emptiesRedis: true }).read([4, 5], undefined).history(),
    [],
  ],
  [
    "refuses that an emptied Redis remembers them",
    namespaced().wrote([0, 1], "a").fault([2, 3], { emptiesRedis: true }).read([4, 5], "a").history(),
    ["deleted value"],
  ],
  [
    "refuses that an emptied Redis forgets secrets",
    secret().wrote([0, 1], "a").fault([2, 3], { emptiesRedis: true }).read([4, 5], undefined).history(),
    ["false miss"],
  ],
  [
    "refuses a miss in an outage",
    namespaced().wrote([0, 1], "a").fault([2, 9]).read([3, 4], undefined).read([10, 11], "a").history(),
    ["false miss"],
  ],
  [
    "accepts an error in an outage",
    namespaced().wrote([0, 1], "a").fault([2, 9]).failedToRead([3, 4]).history(),
    [],
  ],
  [
    "lets other replicas lag for the grace, to its last millisecond",
    secret().wrote([0, 1], "a").wrote([2, 3], "b").read([103, 104], "a", { at: "2" }).history(),
    [],
  ],
  [
    "refuses a replica that lags for longer",
    secret().wrote([0, 1], "a").deleted([2, 3]).read([104, 105], "a", { at: "2" }).history(),
    ["deleted value"],
  ],
  [
    "never lets a replica answer with less than it has acknowledged",
    secret().wrote([0, 1], "a").wrote([2, 3], "b").read([4, 5], "a").history(),
    ["stale value"],
  ],
  [
    "lets replicas lag for longer until they have recovered from a fault",
    secret().wrote([0, 1], "a").wrote([600, 601], "b").fault([100, 200]).read([700, 702], "a", { at: "2" })
      .history(),
    [],
  ],
  [
    "ends that when they have recovered",
    secret().wrote([0, 1], "a").wrote([600, 601], "b").fault([100, 200]).read([702, 703], "a", { at: "2" })
      .history(),
    ["stale value"],
  ],
  [
    "lets a read share the answer to an older one, and so what was true then",
    namespaced().wrote([0, 1], "a").wrote([4, 5], "b", { at: "2" }).read([2, 9], "a").read([6, 9], "a")
      .history(),
    [],
  ],
  [
    "lets a read share what one was waiting for that has given up",
    namespaced().wrote([0, 1], "a").failedToRead([2, 5]).wrote([3, 4], "b", { at: "2" }).read([6, 9], "a")
      .history(),
    [],
  ],
  [
    "lets no read share that of another replica",
    namespaced().wrote([0, 1], "a").wrote([4, 5], "b", { at: "2" }).read([2, 9], "a").read([6, 9], "a", {
      at: "3",
    }).history(),
    ["stale value"],
  ],
  [
    "refuses any lag once everything has settled",
    secret().wrote([0, 1], "a").wrote([2, 3], "b").read([50, 51], "a", { at: "2" }).history({
      settledMs: 50,
    }),
    ["stale value"],
  ],
  [
    "refuses an error once everything has settled",
    secret().wrote([0, 1], "a").failedToRead([50, 51]).history({ settledMs: 50 }),
    ["unavailable"],
  ],
  [
    "accepts an error then if another attempt succeeds",
    secret().wrote([0, 1], "a").failedToRead([50, 51]).read([52, 53], "a").history({ settledMs: 50 }),
    [],
  ],
  [
    "refuses that replicas disagree on a failed write once everything has settled",
    secret().wrote([0, 1], "a", UNKNOWN).read([50, 51], "a").read([50, 51], undefined, { at: "2" })
      .history({ settledMs: 50 }),
    ["disagreement"],
  ],
  [
    "refuses an error that no outage explains",
    secret().failedToRead([0, 1], { code: "INTERNAL", reason: "INTERNAL" }).history(),
    ["wrong error"],
  ],
  [
    "accepts the error of a client that has lost its connection",
    secret().failedToRead([0, 1], { code: "INTERNAL", reason: undefined }).history(),
    [],
  ],
  [
    "accepts a secretKey that stays for as long as the secret does, and then is another",
    secret().wrote([0, 1], "a").read([2, 3], "a", { secretKey: "x" })
      .wrote([4, 5], "b").read([6, 7], "b", { secretKey: "x" })
      .deleted([8, 9]).wrote([10, 11], "c").read([12, 13], "c", { secretKey: "y" }).history(),
    [],
  ],
  [
    "refuses two secretKeys of one write",
    secret().wrote([0, 1], "a").read([2, 3], "a", { secretKey: "x" }).read([4, 5], "a", { secretKey: "y" })
      .history(),
    ["changed secretKey"],
  ],
  [
    "refuses another secretKey without a delete",
    secret().wrote([0, 1], "a").read([2, 3], "a", { secretKey: "x" })
      .wrote([4, 5], "b").read([6, 7], "b", { secretKey: "y" }).history(),
    ["changed secretKey"],
  ],
  [
    "accepts another secretKey after a delete that failed",
    secret().wrote([0, 1], "a").read([2, 3], "a", { secretKey: "x" }).deleted([3, 4], UNKNOWN)
      .wrote([5, 6], "b").read([7, 8], "b", { secretKey: "y" }).history(),
    [],
  ],
  [
    "refuses the same secretKey after a delete",
    secret().wrote([0, 1], "a").read([2, 3], "a", { secretKey: "x" }).deleted([4, 5])
      .wrote([6, 7], "b").read([8, 9], "b", { secretKey: "x" }).history(),
    ["kept secretKey"],
  ],
  [
    "refuses the result of a backfill that ignores a tombstone: a deleted secret, at every replica",
    secret().wrote([0, 1], "a").read([2, 9], "a", { at: "2" }).deleted([3, 4])
      .read([500, 501], "a", { at: "2" }).read([502, 503], "a", { at: "3" }).history(),
    ["deleted value", "deleted value"],
  ],
  [
    "refuses the result of a fill of memory without a fence: an older value than the replica's own write",
    namespaced().wrote([0, 1], "a").read([2, 5], "a").wrote([3, 4], "b").read([6, 7], "a").history(),
    ["stale value"],
  ],
];

for (const [title, history, expected] of HISTORIES) {
  Deno.test(`checkHistory() ${title}`, () => assertEquals(rules(history), [...expected]));
}

Deno.test("checkHistory() names the operations that contradict each other, the offending one first", () => {
  const history = namespaced().wrote([0, 1], "a").wrote([2, 3], "b").read([4, 5], "a").history();
  const [a, b, read] = history.operations;
  const [violation] = checkHistory(history, BOUNDS);
  assertEquals(violation?.operations, [read!, a!, b!]);
});

Deno.test("checkHistory() keeps keys and families apart", () => {
  const one = namespaced().wrote([0, 1], "a").history();
  const other = secret().read([2, 3], undefined).history();
  assertEquals(rules({ ...one, operations: [...one.operations, ...other.operations] }), []);
});
