import type { Clock } from "../../../core/clock.ts";
import type { ClusterView } from "./view.ts";

/** The views of the nodes that answer, by the name under which each was asked. */
export type ClusterAnswers = ReadonlyMap<string, ClusterView>;

/** The nodes that vote beside the seeds, and those that no longer do. */
export interface ClusterVoters {
  /** The masters of the current cluster, silent ones included. */
  readonly masters: Iterable<string>;
  /** Nodes that turned out not to be members of the current cluster. */
  readonly left: ReadonlySet<string>;
}

/** How long the start waits for most seeds before it trusts the others alone. */
const START_PATIENCE_MS = 5000;

/** How long every node of the current cluster must be silent before the seeds alone may name another cluster. */
const SILENCE_MS = 60_000;

/** Nodes that know each other, by name. */
type Group = Map<string, ClusterView>;

/**
 * Decides which of the answering nodes are members of the one cluster that this process uses.
 *
 * A cluster is a group of nodes that know each other's ids. A node that was removed, or that was reset and joined another
 * cluster, shares no group with its former cluster, whatever slots and epochs it claims. Each decision takes one group or
 * none:
 *
 *     1. the group with more than half of the voters: the seeds and the masters of the current cluster, silent ones
 *        included. So a cluster recreated from the same nodes is followed once most of them agree;
 *     2. else the largest group that continues the current cluster: it knows more than half of the masters with slots.
 *        So a cut-off minority stays in use, and a node that was reset and knows only itself does not;
 *     3. else, after a minute of silence from the current cluster, the group with more than half of the seeds. So a
 *        cluster recreated at other addresses is followed;
 *     4. else, without a current cluster and five seconds after the first answer, the only group.
 *
 * A node that has left does not count in 2 and 3: it may be in another cluster while its former one has an outage.
 */
export class ClusterMembership {
  readonly #seeds: readonly string[];
  readonly #clock: Clock;
  /** The ids of the current cluster's masters with slots; empty without a current cluster. */
  #core: ReadonlySet<string> = new Set();
  #isConfirmed = false;
  /** When the current cluster last answered; without one, when any node first answered. */
  #answeredAtMs: number | undefined;

  /** `seeds` are the names of the configured nodes. */
  constructor(seeds: readonly string[], clock: Clock) {
    this.#seeds = seeds;
    this.#clock = clock;
  }

  /** Whether there is a current cluster. */
  get isDecided(): boolean {
    return this.#core.size > 0;
  }

  /** Whether more than half of the seeds were members of the current cluster. */
  get isConfirmed(): boolean {
    return this.#isConfirmed;
  }

  /** Whether nodes have answered for long enough to decide. */
  get isOverdue(): boolean {
    return this.#answeredAtMs !== undefined && this.#isPast(START_PATIENCE_MS);
  }

  /** The answers of the members, or undefined if no group is trusted. `isNew` tells that another cluster replaces the current one. */
  decide(
    answers: ClusterAnswers,
    voters: ClusterVoters,
  ): { members: ClusterAnswers; isNew: boolean } | undefined {
    if (answers.size === 0) return undefined;
    this.#answeredAtMs ??= this.#clock.now();
    const groups = groupsOf(answers);
    const members = this.#majority(groups, voters) ?? this.#continuation(groups, voters) ??
      this.#successor(groups, voters);
    if (members === undefined) return undefined;
    const isNew = this.isDecided && !this.#continues(members);
    if (isNew) this.#isConfirmed = false;
    this.#isConfirmed ||= this.#hasMostSeeds(members);
    this.#core = coreOf(members);
    this.#answeredAtMs = this.#clock.now();
    return { members, isNew };
  }

  #majority(groups: readonly Group[], { masters }: ClusterVoters): Group | undefined {
    // Masters known only from a minority of seeds do not vote.
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

  /** Whether the nodes know more than half of the current cluster's masters with slots. */
  #continues(group: Group): boolean {
    const views = [...group.values()];
    const known = [...this.#core].filter((id) => views.some((view) => view.known.has(id)));
    return 2 * known.length > this.#core.size;
  }

  #hasMostSeeds(group: Group): boolean {
    return 2 * voteCount(group, this.#seeds) > this.#seeds.length;
  }

  #isPast(ms: number): boolean {
    return this.#answeredAtMs !== undefined && Math.abs(this.#clock.now() - this.#answeredAtMs) >= ms;
  }
}

function voteCount(group: Group, voters: Iterable<string>): number {
  return [...voters].filter((name) => group.has(name)).length;
}

/** The ids of all masters with slots; if none has slots, the ids of the nodes themselves. */
function coreOf(group: Group): ReadonlySet<string> {
  const views = [...group.values()];
  const owners = views.flatMap(({ masters }) => masters.filter(({ slots }) => slots.length > 0));
  return new Set((owners.length > 0 ? owners : views).map(({ id }) => id));
}

/** Splits the answering nodes into groups; two nodes that know each other share a group. */
function groupsOf(answers: ClusterAnswers): Group[] {
  const groups: Group[] = [];
  const left = new Map(answers);
  for (const [first, view] of answers) {
    if (!left.delete(first)) continue;
    const group: Group = new Map([[first, view]]);
    // The group grows during the iteration.
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
