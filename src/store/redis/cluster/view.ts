import type { Endpoint } from "../../../core/endpoint.ts";

/** A cluster as one of its nodes describes it. */
export interface ClusterView {
  /** The node's own id. */
  readonly id: string;
  /** The ids of all nodes that it considers members, including replicas, failed nodes and itself. */
  readonly known: ReadonlySet<string>;
  /** Whether it is in a handshake: it may have just joined, so that only some members know it. */
  readonly isJoining: boolean;
  /** All masters; keys move to a master without slots before it owns any. */
  readonly masters: readonly ClusterMaster[];
  /** The slots that the node is migrating, with the id of the importing node. */
  readonly moving: ReadonlyMap<number, string>;
}

/** A master as one node of the cluster describes it. */
export interface ClusterMaster {
  /** Constant until CLUSTER RESET HARD. */
  readonly id: string;
  /** `host:port`, the node's name in this process. */
  readonly name: string;
  readonly address: Endpoint;
  /** The claim with the greatest epoch wins a slot, as among the nodes themselves. */
  readonly epoch: number;
  readonly slots: readonly SlotRange[];
}

/** From the first slot to the last one, both included. */
export type SlotRange = readonly [first: number, last: number];

/**
 * Reads a reply to CLUSTER NODES, one line a node:
 *
 *     <id> <ip>:<port>@<bus port>[,<hostname>] <flags> <master's id> <ping> <pong> <epoch> <link> <slot> <slot> …
 *
 * Leaves out failed masters without slots. A node that does not know its own host gets that of `asked`. Ignores the host
 * name, which may not resolve here.
 */
export function readClusterNodes(reply: string, asked: Endpoint): ClusterView {
  const known = new Set<string>();
  let self: string | undefined;
  let isJoining = false;
  const masters: ClusterMaster[] = [];
  const moving = new Map<number, string>();
  for (const line of reply.split("\n")) {
    const [id, endpoint, flagText, , , , epoch, , ...ranges] = line.trimEnd().split(" ");
    if (id === undefined || endpoint === undefined || flagText === undefined) continue;
    const flags = flagText.split(",");
    if (flags.includes("myself")) self = id;
    // During the handshake the id is provisional.
    if (flags.includes("handshake")) isJoining = true;
    else known.add(id);
    for (const range of ranges) {
      const [, slot, to] = /^\[(\d+)->-(\w+)\]$/.exec(range) ?? [];
      if (slot !== undefined && to !== undefined) moving.set(Number(slot), to);
    }
    if (!flags.includes("master") || flags.includes("noaddr") || flags.includes("handshake")) continue;
    const slots = ranges.flatMap(readRange);
    if (flags.includes("fail") && slots.length === 0) continue;
    const address = readEndpoint(endpoint, asked);
    masters.push({ id, name: nodeName(address), address, epoch: Number(epoch), slots });
  }
  if (self === undefined) throw new Error("Cannot read CLUSTER NODES: no line is flagged myself");
  return { id: self, known, isJoining, masters, moving };
}

/** The name of the node at this endpoint, in Redis's own form: IPv6 has no brackets. */
export function nodeName({ hostname, port }: Endpoint): string {
  return `${hostname}:${port}`;
}

/** Reads `host:port` and ignores the suffix of the cluster bus. */
function readEndpoint(text: string, asked: Endpoint): Endpoint {
  const [known = ""] = text.split(/[@,]/, 1);
  const colon = known.lastIndexOf(":");
  return { hostname: known.slice(0, colon) || asked.hostname, port: Number(known.slice(colon + 1)) };
}

/** Ignores migrating slots, `[93->-…]` and `[93-<-…]`: they still have their owner. */
function readRange(text: string): SlotRange[] {
  const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
  return first === undefined ? [] : [[Number(first), Number(last)]];
}
