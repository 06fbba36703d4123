import calculateSlot from "cluster-key-slot";
import { type Clock, pause, within } from "../../../core/clock.ts";
import { ANY_EPOCH, type ServerBreaker } from "../../../core/ports.ts";
import type { RedisClient } from "../client.ts";
import type { DirectSet, RedisArgument, RedisCommands, RedisScript } from "../commands.ts";
import type { RedisClusterNodes } from "./nodes.ts";

/**
 * A node's answer in place of executing a command: another node owns the slot (MOVED); another node already has this key
 * of a migrating slot (ASK); or the command's keys are split between two nodes (TRYAGAIN).
 *
 * MOVED and ASK also name an endpoint: an address, a host name that may not resolve here, nothing or `?`, depending on
 * `cluster-preferred-endpoint-type`. It is ignored: CLUSTER NODES of the same node gives an address.
 */
type Redirect = "moved" | "ask" | "again";

const REDIRECTS = new Map<string, Redirect>([["MOVED", "moved"], ["ASK", "ask"], ["TRYAGAIN", "again"]]);

/** The redirect that a command's error means, or undefined. */
function redirectOf(error: unknown): Redirect | undefined {
  return error instanceof Error ? REDIRECTS.get(error.message.split(" ", 1)[0]!) : undefined;
}

/** The connection to one master. */
export type ClusterNode = Pick<
  RedisClient,
  "ping" | "run" | "setBy" | "runAsking" | "recheckEpoch"
>;

/** The slots' owners and the connections to them, see {@link RedisClusterNodes}. */
export interface ClusterRoutes
  extends
    Pick<RedisClusterNodes, "masters" | "isComplete" | "ownerOf" | "importerOf" | "usable" | "refresh"> {
  client(name: string): ClusterNode | undefined;
}

/** The parts of a {@link RedisCluster}. */
export interface RedisClusterOptions {
  readonly nodes: ClusterRoutes;
  readonly clock: Clock;
  /** At most the shortest time that a caller waits for a command. */
  readonly patienceMs: number;
  /** Makes the breaker of the master of this name. */
  readonly breaker: (name: string) => ServerBreaker;
}

/** Whether the node is importing the key's slot or owns it. */
type Asking = "asking" | "owning";

/** A command on one node. */
type NodeCommand<T> = (node: ClusterNode, asking: Asking) => Promise<T>;

/** The destination of a command. */
interface Target {
  readonly name: string;
  readonly asking: Asking;
}

/** The most redirects of one command; more mean that the nodes do not agree. */
const MAX_REDIRECTS = 16;

/** The pause of a command whose keys are split by a migrating slot. */
const RETRY_DELAY_MS = 20;

/**
 * A cluster with the interface of one server. Each command goes to the owner of its key's slot, over the one connection
 * to it, so that the guarantees of a {@link RedisClient} hold for each master.
 *
 * A redirect means that nothing was executed, so the command is sent again to the new owner, but only while its caller
 * waits. Otherwise this could happen:
 *
 *     set(k, 1)                     the slot            set(k, 2)
 *     is sent to A, slowly          moves to B
 *     times out: outcome unknown
 *                                                       is sent to B, answered OK
 *     A answers MOVED
 *     must not be sent to B: k would be 1 again
 *
 * A command that is sent in time precedes all later commands on the connection to B.
 */
export class RedisCluster implements RedisCommands {
  readonly spansSlots = false;
  readonly epoch = ANY_EPOCH;
  readonly #options: RedisClusterOptions;
  /** One breaker for each master ever seen: a master that returns under its old name is the same server. */
  readonly #breakers = new Map<string, ServerBreaker>();

  constructor(options: RedisClusterOptions) {
    this.#options = options;
  }

  /** Resolves when every master answers and each slot has an owner. */
  async ping(): Promise<void> {
    const { masters, isComplete } = this.#options.nodes;
    if (masters.length === 0) throw new Error("Cannot send to Redis: no node of the cluster answers");
    if (!isComplete) throw new Error("Cannot send to Redis: some slots have no known node");
    await Promise.all(masters.map((name) => {
      const { client, breaker } = this.#node(name);
      return breaker.probe(() => client.ping());
    }));
  }

  run(script: RedisScript, keys: readonly string[], ...args: RedisArgument[]): Promise<unknown> {
    return this.#send(
      keys[0]!,
      (node, asking) => node[asking === "asking" ? "runAsking" : "run"](script, keys, ...args),
    );
  }

  /** Goes to the slot's owner alone, which refuses it if the slot has moved. */
  async setBy(incomingKey: string, change: DirectSet): Promise<void> {
    const { client, breaker } = this.#node(this.#ownerOf(calculateSlot(change.key)));
    await breaker.run(() => client.setBy(incomingKey, change));
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
      const { client, breaker } = this.#node(name);
      // For the breaker a redirect is a normal answer.
      const answer = await breaker.run(() => answerOf(Promise.try(command, client, asking)));
      if ("value" in answer) return answer.value;
      const leftMs = this.#options.patienceMs - Math.abs(clock.now() - sentAtMs);
      if (redirects === MAX_REDIRECTS || leftMs <= 0) throw answer.error;
      const next = await this.#follow(answer.redirect, name, slot, redirects);
      if (next === undefined) throw answer.error;
      ({ name, asking } = next);
      // The connection to a new master may not be usable yet.
      const { nodes } = this.#options;
      if (nodes.client(name) === undefined) await within(leftMs, nodes.usable(name), clock);
      // Checked again, in the same turn as the send: a command must not be sent after its caller has given up.
      if (Math.abs(clock.now() - sentAtMs) >= this.#options.patienceMs) throw answer.error;
    }
  }

  /** The next destination after a redirect by `from`; undefined if `from` does not name one in time. */
  async #follow(
    redirect: Redirect,
    from: string,
    slot: number,
    redirects: number,
  ): Promise<Target | undefined> {
    const { nodes } = this.#options;
    if (redirect === "ask") {
      // The known importer may belong to an earlier migration: a second redirect asks again.
      if (redirects > 0 || nodes.importerOf(slot, from) === undefined) await nodes.refresh(from);
      const name = nodes.importerOf(slot, from);
      return name === undefined ? undefined : { name, asking: "asking" };
    }
    if (redirect === "again") await pause(RETRY_DELAY_MS, this.#options.clock);
    else await nodes.refresh(from);
    return { name: this.#ownerOf(slot), asking: "owning" };
  }

  #ownerOf(slot: number): string {
    const name = this.#options.nodes.ownerOf(slot);
    if (name === undefined) throw new Error(`Cannot send to Redis: no known node has slot ${slot}`);
    return name;
  }

  #node(name: string): { readonly client: ClusterNode; readonly breaker: ServerBreaker } {
    const client = this.#options.nodes.client(name);
    if (client === undefined) {
      throw new Error(`Cannot send to Redis: ${name} has not answered as a member of the cluster`);
    }
    let breaker = this.#breakers.get(name);
    if (breaker === undefined) {
      breaker = this.#options.breaker(name);
      this.#breakers.set(name, breaker);
    }
    return { client, breaker };
  }
}

/** A command's result or a redirect. */
type NodeAnswer<T> = { readonly value: T } | { readonly redirect: Redirect; readonly error: unknown };

async function answerOf<T>(command: Promise<T>): Promise<NodeAnswer<T>> {
  try {
    return { value: await command };
  } catch (error) {
    const redirect = redirectOf(error);
    if (redirect === undefined) throw error;
    return { redirect, error };
  }
}
