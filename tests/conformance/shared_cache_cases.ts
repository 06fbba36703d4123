/** Schedules of a shared cache's writers and readers, which are named by letters; each writer has one intent. */
import { endOf, type Version } from "../../src/core/version.ts";
import type { Part } from "./fragile_cache.ts";
import { version } from "./secret_entry.ts";

export const V1 = version(1, 1);
export const V2 = version(1, 2);
export const V3 = version(1, 3);

/** One step of a schedule, by the writer or reader that takes it. */
export type Step =
  | { readonly announce: string }
  | { readonly publish: string; readonly at: Version }
  | { readonly writeTombstone: string; readonly at?: Version }
  | { readonly retract: string }
  | { readonly look: string }
  /** By a reader that looked before; without one, by one that looks now. */
  | { readonly fill: Version; readonly by?: string }
  | { readonly lose: readonly Part[] }
  | "flush"
  | "save"
  | "restart";

/** A schedule and what readers find after its last step. */
export interface Case {
  readonly title: string;
  readonly steps: readonly Step[];
  readonly found: Version | "tombstone" | "nothing";
}

export const CASES: readonly Case[] = [
  { title: "finds nothing under a key that was never written", steps: [], found: "nothing" },
  { title: "finds a tombstone once a change is announced", steps: [{ announce: "A" }], found: "tombstone" },
  {
    title: "finds a tombstone where an announcement took an entry's place",
    steps: [{ fill: V1 }, { announce: "A" }],
    found: "tombstone",
  },
  {
    title: "finds what the only writer published",
    steps: [{ announce: "A" }, { publish: "A", at: V1 }],
    found: V1,
  },
  {
    title: "finds a tombstone after a delete",
    steps: [{ announce: "A" }, { writeTombstone: "A", at: endOf(1) }],
    found: "tombstone",
  },
  {
    title: "finds a tombstone after the delete of what was not there",
    steps: [{ announce: "A" }, { writeTombstone: "A" }],
    found: "tombstone",
  },
  {
    title: "finds a tombstone after a delete without an announcement",
    steps: [{ fill: V1 }, { writeTombstone: "A" }],
    found: "tombstone",
  },
  { title: "finds what was filled into nothing", steps: [{ fill: V1 }], found: V1 },
  {
    title: "finds the first of two fills by readers that looked before it",
    steps: [{ look: "R" }, { look: "S" }, { fill: V2, by: "R" }, { fill: V1, by: "S" }],
    found: V2,
  },
  {
    title: "never finds a fill without a lease",
    steps: [{ fill: V1 }, { fill: V2 }],
    found: V1,
  },
  {
    title: "never finds a fill by a reader that looked before an announcement",
    steps: [{ look: "R" }, { announce: "A" }, { fill: V2, by: "R" }],
    found: "tombstone",
  },
  {
    title: "never finds a fill over an announcement",
    steps: [{ announce: "A" }, { fill: V2 }],
    found: "tombstone",
  },
  {
    title: "never finds a fill over a delete, however new",
    steps: [{ announce: "A" }, { writeTombstone: "A", at: V1 }, { fill: version(9, 9) }],
    found: "tombstone",
  },
  {
    title: "never finds a late fill that is older than what was published",
    steps: [{ look: "R" }, { announce: "A" }, { publish: "A", at: V2 }, { fill: V1, by: "R" }],
    found: V2,
  },
  {
    title: "never finds the first of two writers while the second is not done",
    steps: [{ announce: "A" }, { announce: "B" }, { publish: "A", at: V2 }],
    found: "tombstone",
  },
  {
    title: "finds the last of two writers that overlap",
    steps: [{ announce: "A" }, { announce: "B" }, { publish: "A", at: V2 }, { publish: "B", at: V3 }],
    found: V3,
  },
  {
    title: "finds no entry when the last of two writers has the older version",
    steps: [{ announce: "A" }, { announce: "B" }, { publish: "B", at: V3 }, { publish: "A", at: V2 }],
    found: "tombstone",
  },
  {
    title: "finds no entry of a write that a later delete has ended before",
    steps: [{ announce: "A" }, { announce: "B" }, { writeTombstone: "B", at: endOf(1) }, {
      publish: "A",
      at: V2,
    }],
    found: "tombstone",
  },
  {
    title: "finds the entry that was created after a delete that ended first",
    steps: [{ announce: "A" }, { announce: "B" }, { writeTombstone: "B", at: endOf(1) }, {
      publish: "A",
      at: version(2, 1),
    }],
    found: version(2, 1),
  },
  {
    title: "finds a tombstone while the third of three writers is not done",
    steps: [
      { announce: "A" },
      { announce: "B" },
      { announce: "C" },
      { publish: "B", at: V2 },
      { publish: "A", at: V1 },
    ],
    found: "tombstone",
  },
  {
    title: "finds the newest of three writers that end in the order of their versions",
    steps: [
      { announce: "A" },
      { announce: "B" },
      { announce: "C" },
      { publish: "B", at: V1 },
      { publish: "A", at: V2 },
      { publish: "C", at: V3 },
    ],
    found: V3,
  },
  {
    title: "finds nothing after the only change took its announcement back",
    steps: [{ fill: V1 }, { announce: "A" }, { retract: "A" }],
    found: "nothing",
  },
  {
    title: "finds a fill by a reader that looked after an announcement was taken back",
    steps: [{ announce: "A" }, { retract: "A" }, { look: "R" }, { fill: V1, by: "R" }],
    found: V1,
  },
  {
    title: "never finds a fill by a reader that looked before an announcement that was taken back",
    steps: [{ look: "R" }, { announce: "A" }, { retract: "A" }, { fill: V1, by: "R" }],
    found: "nothing",
  },
  {
    title: "finds a tombstone while another change is under way than the one taken back",
    steps: [{ announce: "A" }, { announce: "B" }, { retract: "A" }],
    found: "tombstone",
  },
  {
    title: "finds what a writer published beside one that took its announcement back",
    steps: [{ announce: "A" }, { announce: "B" }, { retract: "A" }, { publish: "B", at: V2 }],
    found: V2,
  },
  {
    title: "finds no entry that was outranked before another change took its announcement back",
    steps: [
      { announce: "A" },
      { announce: "B" },
      { writeTombstone: "C", at: V3 },
      { retract: "B" },
      { publish: "A", at: V2 },
    ],
    found: "tombstone",
  },
  {
    title: "finds no entry of a writer that took its announcement back",
    steps: [{ announce: "A" }, { retract: "A" }, { publish: "A", at: V2 }],
    found: "tombstone",
  },
  {
    title: "finds an entry that was there before an announcement was taken back which never was",
    steps: [{ fill: V1 }, { retract: "A" }],
    found: V1,
  },
  {
    title: "finds a tombstone where the announcement that was taken back had been lost before",
    steps: [{ announce: "A" }, "flush", { writeTombstone: "B", at: endOf(1) }, { retract: "A" }],
    found: "tombstone",
  },
  {
    title: "finds a tombstone where the announcement that was taken back comes from an old snapshot",
    steps: [{ announce: "A" }, "save", { announce: "B" }, "restart", { retract: "A" }],
    found: "tombstone",
  },
  {
    title: "finds no entry of a writer that never announced itself",
    steps: [{ publish: "A", at: V2 }],
    found: "tombstone",
  },
  {
    title: "finds no entry of a writer whose announcement was lost",
    steps: [{ announce: "A" }, "flush", { publish: "A", at: V2 }],
    found: "tombstone",
  },
  {
    title: "never finds a late fill where what was published has been lost",
    steps: [{ look: "R" }, { announce: "A" }, { publish: "A", at: V2 }, { lose: ["value"] }, {
      fill: V1,
      by: "R",
    }],
    found: "nothing",
  },
  {
    title: "never finds a late fill where the tombstone of a delete has been lost",
    steps: [{ look: "R" }, { writeTombstone: "A", at: endOf(1) }, { lose: ["value"] }, { fill: V1, by: "R" }],
    found: "nothing",
  },
  {
    title: "never finds a fill by a reader that looked before a loss, not even with another's lease there",
    steps: [{ look: "R" }, "flush", { look: "S" }, { fill: V1, by: "R" }],
    found: "nothing",
  },
  {
    title: "never finds a fill by a reader whose lease alone was lost",
    steps: [{ look: "R" }, { lose: ["lease"] }, { fill: V1, by: "R" }],
    found: "nothing",
  },
  {
    title: "never finds a late fill where another has been lost",
    steps: [{ look: "R" }, { look: "S" }, { fill: V2, by: "R" }, { lose: ["value"] }, { fill: V1, by: "S" }],
    found: "nothing",
  },
  {
    title: "finds a fill by a reader that looked after the loss",
    steps: [{ look: "R" }, "flush", { look: "S" }, { fill: V2, by: "S" }],
    found: V2,
  },
  {
    title: "finds nothing of what an old snapshot brings back",
    steps: [{ fill: V1 }, "save", { announce: "A" }, { publish: "A", at: V2 }, "restart"],
    found: "nothing",
  },
  {
    title: "finds a fill over what an old snapshot brought back, whichever is newer",
    steps: [{ fill: V2 }, "save", "restart", { fill: V1 }],
    found: V1,
  },
  {
    title: "finds what was published over what an old snapshot brought back",
    steps: [{ fill: V1 }, "save", "restart", { announce: "A" }, { publish: "A", at: V2 }],
    found: V2,
  },
  {
    title: "finds a tombstone also if it is an old snapshot's",
    steps: [{ announce: "A" }, "save", "restart"],
    found: "tombstone",
  },
  {
    title: "never finds a fill under a lease that an old snapshot brought back",
    steps: [{ look: "R" }, "save", { announce: "A" }, { publish: "A", at: V2 }, "restart", {
      fill: V1,
      by: "R",
    }],
    found: "nothing",
  },
  {
    title: "never finds a fill under a lease that an old snapshot brought back and another reader renewed",
    steps: [{ look: "R" }, "save", "restart", { look: "S" }, { fill: V1, by: "R" }],
    found: "nothing",
  },
  {
    title: "finds no entry of a writer whose announcement comes from an old snapshot, which misses another's",
    steps: [
      { announce: "A" },
      "save",
      { announce: "B" },
      { publish: "B", at: V3 },
      "restart",
      { publish: "A", at: V2 },
    ],
    found: "tombstone",
  },
  {
    title: "finds no entry of that writer after another announcement either",
    steps: [{ announce: "A" }, "save", "restart", { announce: "C" }, { writeTombstone: "C" }, {
      publish: "A",
      at: V2,
    }],
    found: "tombstone",
  },
  {
    title: "finds no entry of a writer while another's announcement comes from an old snapshot",
    steps: [{ announce: "A" }, "save", "restart", { announce: "B" }, { publish: "B", at: V2 }],
    found: "tombstone",
  },
  {
    title: "finds no stale fill that came after a lost announcement",
    steps: [{ announce: "A" }, "flush", { fill: V1 }, { publish: "A", at: V2 }],
    found: "tombstone",
  },
  {
    title: "finds no entry that another writer published after a lost announcement",
    steps: [{ announce: "A" }, "flush", { announce: "B" }, { publish: "B", at: V2 }, {
      publish: "A",
      at: V3,
    }],
    found: "tombstone",
  },
  {
    title: "finds a tombstone where the announcement of a delete was lost and the entry filled again",
    steps: [{ announce: "A" }, "flush", { fill: V1 }, { writeTombstone: "A", at: endOf(1) }],
    found: "tombstone",
  },
  {
    title: "finds what a writer published that began after the loss",
    steps: ["flush", { announce: "A" }, { publish: "A", at: V1 }],
    found: V1,
  },
];
