import { assertEquals } from "@std/assert";
import type { Bounds } from "./bounds.ts";
import type { History } from "./history.ts";
import { checkHistory } from "./history_checker.ts";
import { Story } from "./story.ts";
import type { Rule } from "./violation.ts";

/** Secrets of other replicas may lag by 100 ms, and by 1000 ms from the start of a fault until 500 ms after it. */
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

/** Titles and histories, with the violations that the checker must find. */
const HISTORIES: readonly (readonly [string, History, readonly Rule[]])[] = [
  ["accepts a key that was never there", namespaced().read([0, 1], undefined).history(), []],
  ["accepts a written value", namespaced().wrote([0, 1], "a").read([2, 3], "a").history(), []],
  ["refuses a value that no client wrote", namespaced().wrote([0, 1], "a").read([2, 3], "b").history(), [
    "unwritten value",
  ]],
  [
    "refuses a value that is written only later",
    namespaced().read([0, 1], "a").wrote([2, 3], "a").history(),
    [
      "unwritten value",
    ],
  ],
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
    "refuses both values in turn after both writes have ended",
    namespaced().wrote([0, 9], "a").wrote([1, 8], "b").read([10, 11], "a").read([12, 13], "b").history(),
    ["returned value"],
  ],
  [
    "refuses two values that take turns during their writes",
    namespaced().wrote([0, 99], "a").wrote([1, 98], "b").read([10, 11], "a").read([12, 13], "b")
      .read([14, 15], "a").history(),
    ["returned value"],
  ],
  [
    "accepts values that take turns within the grace",
    secret().wrote([0, 9], "a").wrote([1, 8], "b").read([10, 11], "a").read([100, 101], "b", { at: "2" })
      .history(),
    [],
  ],
  [
    "accepts the old and the new value during a write",
    namespaced().wrote([0, 1], "a").wrote([2, 9], "b").read([3, 4], "a").read([5, 6], "b").history(),
    [],
  ],
  [
    "refuses a value older than one that a client has seen",
    namespaced().wrote([0, 1], "a").wrote([2, 9], "b").read([3, 4], "b").read([5, 6], "a").history(),
    ["stale value"],
  ],
  [
    "accepts a failed write that takes effect late or never",
    namespaced().wrote([0, 1], "a").wrote([2, 3], "b", UNKNOWN).read([4, 5], "a").read([6, 7], "b").history(),
    [],
  ],
  [
    "accepts a failed write that replaces one acknowledged within its late bound",
    namespaced().wrote([2, 3], "b", UNKNOWN).wrote([12, 14], "a").read([15, 16], "b").history(),
    [],
  ],
  [
    "refuses a failed write that replaces one begun after its late bound",
    namespaced().wrote([2, 3], "b", UNKNOWN).wrote([14, 15], "a", { at: "2" }).read([16, 17], "b").history(),
    ["stale value"],
  ],
  [
    "refuses a failed delete that undoes a write begun after its late bound",
    namespaced().deleted([2, 3], UNKNOWN).wrote([14, 15], "a", { at: "2" }).read([16, 17], undefined)
      .history(),
    ["false miss"],
  ],
  [
    "counts the late bound from the end of a freeze of the process",
    namespaced().wrote([2, 3], "b", UNKNOWN).fault([1, 9], { freezes: "1" }).wrote([14, 15], "a", { at: "2" })
      .read([16, 17], "b").history(),
    [],
  ],
  [
    "does not count the late bound from a freeze of another process",
    namespaced().wrote([2, 3], "b", UNKNOWN).fault([1, 9], { freezes: "2" }).wrote([14, 15], "a", { at: "2" })
      .read([16, 17], "b").history(),
    ["stale value"],
  ],
  [
    "accepts a secret's failed write that takes effect at any later time",
    secret().wrote([2, 3], "b", UNKNOWN).wrote([14, 15], "a").read([900, 901], "b").history(),
    [],
  ],
  [
    "refuses a failed write that is undone after a client saw it",
    namespaced().wrote([0, 1], "a").wrote([2, 3], "b", UNKNOWN).read([4, 5], "b").read([6, 7], "a").history(),
    ["stale value"],
  ],
  [
    "accepts a failed delete that takes effect late or never",
    namespaced().wrote([0, 1], "a").deleted([2, 3], UNKNOWN).read([4, 5], "a").read([6, 7], undefined)
      .history(),
    [],
  ],
  [
    "accepts a crash that undoes a commit that was seen but not acknowledged",
    secret().wrote([0, 1], "a").wrote([2, 3], "b", UNKNOWN).read([4, 5], "b")
      .fault([6, 7], { crashesDatabase: true }).read([2000, 2001], "a").history(),
    [],
  ],
  [
    "refuses anything but a crash that undoes a commit that was seen",
    secret().wrote([0, 1], "a").wrote([2, 3], "b", UNKNOWN).read([4, 5], "b").fault([6, 7])
      .read([2000, 2001], "a").history(),
    ["stale value"],
  ],
  [
    "accepts a few failed calls during a contained fault",
    failing(3, secret().fault([0, 100], { isContained: true })).history(),
    [],
  ],
  [
    "refuses many failed calls during a contained fault",
    failing(4, secret().fault([0, 100], { isContained: true })).history(),
    ["unavailable"],
  ],
  [
    "accepts many failed calls if another fault may be the cause, or has just ended",
    failing(4, secret().fault([0, 100], { isContained: true }).fault([-400, -300])).history(),
    [],
  ],
  [
    "accepts that entries are gone after Redis was emptied",
    namespaced().wrote([0, 1], "a").fault([2, 3], { emptiesRedis: true }).read([4, 5], undefined).history(),
    [],
  ],
  [
    "refuses entries that survive an emptied Redis",
    namespaced().wrote([0, 1], "a").fault([2, 3], { emptiesRedis: true }).read([4, 5], "a").history(),
    ["deleted value"],
  ],
  [
    "refuses that secrets are gone after Redis was emptied",
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
    "refuses a replica that answers with less than it has acknowledged",
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
    "refuses the longer lag after the recovery",
    secret().wrote([0, 1], "a").wrote([600, 601], "b").fault([100, 200]).read([702, 703], "a", { at: "2" })
      .history(),
    ["stale value"],
  ],
  [
    "lets a read share the answer to an older read, and so an older value",
    namespaced().wrote([0, 1], "a").wrote([4, 5], "b", { at: "2" }).read([2, 9], "a").read([6, 9], "a")
      .history(),
    [],
  ],
  [
    "lets a read share the answer to a read whose client has given up",
    namespaced().wrote([0, 1], "a").failedToRead([2, 5]).wrote([3, 4], "b", { at: "2" }).read([6, 9], "a")
      .history(),
    [],
  ],
  [
    "refuses a read that shares the answer of another replica",
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
    "accepts an error after that if another attempt succeeds",
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
    "accepts a secretKey that stays the same until the secret is deleted",
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
