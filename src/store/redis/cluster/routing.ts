import calculateSlot from "cluster-key-slot";
import type { Clock } from "../../../core/clock.ts";
import { ANY_EPOCH, type ServerBreaker } from "../../../core/ports.ts";
import type { RedisClient } from "../client.ts";
import type { DirectSet, RedisArgument, RedisCommands, RedisScript } from "../commands.ts";
import type { RedisClusterNodes } from "./nodes.ts";
import { type Redirect, redirectOf } from "./redirect.ts";

/** The connection to one master. */
export type ClusterNode = Pick<
  RedisClient,
  "ping" | "run" | "setBy" | "runAsking" | "recheckEpoch"
>;

/** Who has which slot, see {@link RedisClusterNodes}. */
export interface ClusterRoutes
  extends
    Pick<RedisClusterNodes, "masters" | "isComplete" | "ownerOf" | "importerOf" | "usable" | "refresh"> {
  client(name: string): ClusterNode | undefined;
}

/** What the commands of a cluster are made of. */
export interface RedisClusterOptions {
  readonly nodes: ClusterRoutes;
  readonly clock: Clock;
  /** No longer than the shortest time that any caller waits for a command. */
  readonly patienceMs: number;
  /** Makes what stands before the master of this name. */
  readonly guard: (name: string) => ServerBreaker;
}

/** Whether a node is still importing the key's slot, or has it. */
type Asking = "asking" | "owning";

/** A command on one node. */
type NodeCommand<T> = (node: ClusterNode, asking: Asking) => Promise<T>;

/** Where a command is sent. */
interface Target {
  readonly name: string;
  readonly asking: Asking;
}

/** How often one command may be sent on; more is a cluster whose nodes do not agree. */
const MAX_REDIRECTS = 16;

/** How long a command waits whose keys are in two places, because their slot is being moved. */
const RETRY_DELAY_MS = 20;

/**
 * A cluster as if it were one server: each command goes to the master that has its key's slot, over the one
 * connection to it, so that all that holds for a {@link RedisClient} holds for each of them.
 *
 * A redirect says that nothing was executed, so the command is sent again, to where the slot is now, but only
 * while its caller still waits. The interleaving that this guards against:
 *
 *     set(k, 1)                     the slot            set(k, 2)
 *     is sent to A, slowly          moves to B
 *     times out: outcome unknown
 *                                                       is sent to B, answered OK
 *     A answers MOVED
 *     must not be sent to B: k would be 1 again
 *
 * Sent in time, it is before all that begins later on the connection to B.
 */
export class RedisCluster implements RedisCommands {
  readonly spansSlots = false;
  readonly epoch = ANY_EPOCH;
  readonly #options: RedisClusterOptions;
  /** Of all masters that there have ever been: one that comes back under its old name is the same server. */
  readonly #guards = new Map<string, ServerBreaker>();

  constructor(options: RedisClusterOptions) {
    this.#options = options;
  }

  /** Resolves when every master answers, and each slot has one. */
  async ping(): Promise<void> {
    const { masters, isComplete } = this.#options.nodes;
    if (masters.length === 0) throw new Error("Cannot send to Redis: no node of the cluster answers");
    if (!isComplete) throw new Error("Cannot send to Redis: some slots have no known node");
    await Promise.all(masters.map((name) => {
      const { client, guard } = this.#node(name);
      return guard.probe(() => client.ping());
    }));
  }

  run(script: RedisScript, keys: readonly string[], ...args: RedisArgument[]): Promise<unknown> {
    return this.#send(
      keys[0]!,
      (node, asking) => node[asking === "asking" ? "runAsking" : "run"](script, keys, ...args),
    );
  }

  /** At the slot's owner alone, which refuses it where that has moved. */
  async setBy(incomingKey: string, change: DirectSet): Promise<void> {
    const { client, guard } = this.#node(this.#ownerOf(calculateSlot(change.key)));
    await guard.run(() => client.setBy(incomingKey, change));
  }

  async change(script: RedisScript, keys: readonly string[], ...args: RedisArgument[]): Promise<void> {
    await this.run(script, keys, ...args);
  }

  recheckEpoch(key: string): void {
    const { nodes } = this.#options;
    const owner = nodes.ownerOf(calculateSlot(key));
    if (owner !== undefined) nodes.client(owner)?.recheckEpoch();
  }

  async #send<T>(key: string, command: NodeCommand<T>): Promise<T> {
    const { clock } = this.#options;
    const slot = calculateSlot(key);
    const sentAtMs = clock.now();
    let name = this.#ownerOf(slot);
    let asking: Asking = "owning";
    for (let redirects = 0;; redirects++) {
      const { client, guard } = this.#node(name);
      // Inside the guard a redirect is an answer like any other.
      const answer = await guard.run(() => answerOf(Promise.try(command, client, asking)));
      if ("value" in answer) return answer.value;
      const leftMs = this.#options.patienceMs - Math.abs(clock.now() - sentAtMs);
      if (redirects === MAX_REDIRECTS || leftMs <= 0) throw answer.error;
      const next = await this.#follow(answer.redirect, name, slot, redirects);
      if (next === undefined) throw answer.error;
      ({ name, asking } = next);
      // The connection to a new master may not stand yet.
      const { nodes } = this.#options;
      if (nodes.client(name) === undefined) await Promise.race([nodes.usable(name), this.#elapsed(leftMs)]);
      // Again, and from here on in one turn with the sending: a caller that has gone may have been told anything.
      if (Math.abs(clock.now() - sentAtMs) >= this.#options.patienceMs) throw answer.error;
    }
  }

  /** Where a command has to be sent to instead of `from`; undefined where `from` does not say in time. */
  async #follow(
    redirect: Redirect,
    from: string,
    slot: number,
    redirects: number,
  ): Promise<Target | undefined> {
    const { nodes } = this.#options;
    if (redirect === "ask") {
      // What is known of a move may be of an earlier one: a second redirect has it asked for anew.
      if (redirects > 0 || nodes.importerOf(slot, from) === undefined) await nodes.refresh(from);
      const name = nodes.importerOf(slot, from);
      return name === undefined ? undefined : { name, asking: "asking" };
    }
    if (redirect === "again") await this.#elapsed(RETRY_DELAY_MS);
    else await nodes.refresh(from);
    return { name: this.#ownerOf(slot), asking: "owning" };
  }

  #ownerOf(slot: number): string {
    const name = this.#options.nodes.ownerOf(slot);
    if (name === undefined) throw new Error(`Cannot send to Redis: no known node has slot ${slot}`);
    return name;
  }

  #node(name: string): { readonly client: ClusterNode; readonly guard: ServerBreaker } {
    const client = this.#options.nodes.client(name);
    if (client === undefined) {
      throw new Error(`Cannot send to Redis: ${name} has not said that it is a member`);
    }
    let guard = this.#guards.get(name);
    if (guard === undefined) {
      guard = this.#options.guard(name);
      this.#guards.set(name, guard);
    }
    return { client, guard };
  }

  #elapsed(ms: number): Promise<void> {
    return new Promise((resolve) => this.#options.clock.setTimer(resolve, ms, "background"));
  }
}

/** A command's result, or the redirect that stands in for it. */
type Answer<T> = { readonly value: T } | { readonly redirect: Redirect; readonly error: unknown };

async function answerOf<T>(command: Promise<T>): Promise<Answer<T>> {
  try {
    return { value: await command };
  } catch (error) {
    const redirect = redirectOf(error);
    if (redirect === undefined) throw error;
    return { redirect, error };
  }
}
