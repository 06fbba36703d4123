import type { Clock } from "../../../core/clock.ts";
import type { ClusterView } from "./view.ts";

/** What the nodes that answer have said, by the name under which each was asked. */
export type ClusterAnswers = ReadonlyMap<string, ClusterView>;

/** The nodes that have a say beside the seeds, and those that have lost it. */
export interface ClusterVoters {
  /** The masters of the cluster in force, whether they answer or not. */
  readonly masters: Iterable<string>;
  /** Nodes that were found not to be members of the cluster in force. */
  readonly left: ReadonlySet<string>;
}

/** How long most seeds may be silent at the start before the others are believed without them. */
const START_PATIENCE_MS = 5000;

/** How long every node of the cluster in force has to be silent before the seeds alone may name another. */
const SILENCE_MS = 60_000;

/** Nodes that know each other, by the names under which they were asked. */
type Group = Map<string, ClusterView>;

/**
 * Tells which of the nodes that answer are members of the one cluster that this process uses.
 *
 * A cluster is a group of nodes that know each other's ids. A node that was removed, or
 * that was reset and has joined another cluster, is in no group with those that it left, whatever it claims under
 * whatever epoch. Each time one group is taken, or none:
 *
 *     1. the group of more than half of the voters: the seeds and the masters of the cluster in force, the silent ones
 *        included. So a cluster that was made anew of its nodes is followed once most of them say so;
 *     2. else the largest that continues the cluster in force: it knows more than half of the masters that had slots.
 *        So a minority that is cut off is still used, and a node that was reset and knows only itself is not;
 *     3. else, once no node of the cluster in force has been heard for a minute, that of more than half of the seeds. So
 *        a cluster that was made anew at other addresses is followed;
 *     4. else, where there is none in force and five seconds have gone since the first answer, the only one there is.
 *
 * A node that has left has no say in 2 and 3: it may be in another cluster while an outage silences its former one.
 */
export class ClusterMembership {
  readonly #seeds: readonly string[];
  readonly #clock: Clock;
  /** The ids of the masters with slots of the cluster in force; empty while there is none. */
  #core: ReadonlySet<string> = new Set();
  #isConfirmed = false;
  /** When the cluster in force was last heard, or, while there is none, when anything was heard first. */
  #heardAtMs: number | undefined;

  /** `seeds`: the names of the configured nodes. */
  constructor(seeds: readonly string[], clock: Clock) {
    this.#seeds = seeds;
    this.#clock = clock;
  }

  /** Whether there is a cluster in force. */
  get isDecided(): boolean {
    return this.#core.size > 0;
  }

  /** Whether more than half of the seeds have been members of the cluster in force. */
  get isConfirmed(): boolean {
    return this.#isConfirmed;
  }

  /** Whether nodes answer, and there has been time enough to tell which cluster is meant. */
  get isOverdue(): boolean {
    return this.#heardAtMs !== undefined && this.#isPast(START_PATIENCE_MS);
  }

  /** The answers of the members; undefined where no group can be trusted. `isNew` where it is not the one before. */
  decide(
    answers: ClusterAnswers,
    voters: ClusterVoters,
  ): { members: ClusterAnswers; isNew: boolean } | undefined {
    if (answers.size === 0) return undefined;
    this.#heardAtMs ??= this.#clock.now();
    const groups = groupsOf(answers);
    const members = this.#majority(groups, voters) ?? this.#continuation(groups, voters) ??
      this.#successor(groups, voters);
    if (members === undefined) return undefined;
    const isNew = this.isDecided && !this.#continues(members);
    if (isNew) this.#isConfirmed = false;
    this.#isConfirmed ||= this.#hasMostSeeds(members);
    this.#core = coreOf(members);
    this.#heardAtMs = this.#clock.now();
    return { members, isNew };
  }

  #majority(groups: readonly Group[], { masters }: ClusterVoters): Group | undefined {
    // Masters found by the word of a few seeds have no say against the others.
    const voters = new Set(this.#isConfirmed ? [...this.#seeds, ...masters] : this.#seeds);
    return groups.find((group) => 2 * voteCount(group, voters) > voters.size);
  }

  #continuation(groups: readonly Group[], { left }: ClusterVoters): Group | undefined {
    const continuing = groups.filter((group) =>
      this.#continues(group) && [...group.keys()].some((name) => !left.has(name))
    );
    return continuing.sort((one, other) => other.size - one.size)[0];
  }

  #successor(groups: readonly Group[], { left }: ClusterVoters): Group | undefined {
    if (this.isDecided) {
      if (!this.#isPast(SILENCE_MS)) return undefined;
      return groups.find((group) =>
        this.#hasMostSeeds(new Map([...group].filter(([name]) => !left.has(name))))
      );
    }
    return groups.length === 1 && this.isOverdue ? groups[0] : undefined;
  }

  /** Whether the nodes know more than half of the masters that had slots; of no cluster nothing is known. */
  #continues(group: Group): boolean {
    const views = [...group.values()];
    const known = [...this.#core].filter((id) => views.some((view) => view.known.has(id)));
    return 2 * known.length > this.#core.size;
  }

  #hasMostSeeds(group: Group): boolean {
    return 2 * voteCount(group, this.#seeds) > this.#seeds.length;
  }

  #isPast(ms: number): boolean {
    return this.#heardAtMs !== undefined && Math.abs(this.#clock.now() - this.#heardAtMs) >= ms;
  }
}

function voteCount(group: Group, voters: Iterable<string>): number {
  return [...voters].filter((name) => group.has(name)).length;
}

/** The ids of all masters that have slots, or where none has, of the nodes themselves. */
function coreOf(group: Group): ReadonlySet<string> {
  const views = [...group.values()];
  const owners = views.flatMap(({ masters }) => masters.filter(({ slots }) => slots.length > 0));
  return new Set((owners.length > 0 ? owners : views).map(({ id }) => id));
}

/** Parts the nodes that answer into groups, joined wherever two know each other. */
function groupsOf(answers: ClusterAnswers): Group[] {
  const groups: Group[] = [];
  const left = new Map(answers);
  for (const [first, view] of answers) {
    if (!left.delete(first)) continue;
    const group: Group = new Map([[first, view]]);
    // Grows while it is walked through.
    for (const [, member] of group) {
      for (const [name, other] of left) {
        if (!(member.known.has(other.id) && other.known.has(member.id))) continue;
        left.delete(name);
        group.set(name, other);
      }
    }
    groups.push(group);
  }
  return groups;
}
