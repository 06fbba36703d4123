import type { Endpoint } from "../../../core/endpoint.ts";

/** A cluster as one of its nodes sees it. */
export interface ClusterView {
  /** The node's own id. */
  readonly id: string;
  /** The ids of all nodes that it takes for members, replicas and failed ones too, and its own. */
  readonly known: ReadonlySet<string>;
  /** Whether it is getting to know a node at present: it may have just joined, and some members know it already. */
  readonly isJoining: boolean;
  /** Masters without slots too, since keys are moved to them before any slot is theirs. */
  readonly masters: readonly ClusterMaster[];
  /** The slots that the node is moving away, each with the id of the node that gets it. */
  readonly moving: ReadonlyMap<number, string>;
}

/** A master of a cluster as one of its nodes sees it. */
export interface ClusterMaster {
  /** Which a node has for life, or until CLUSTER RESET HARD. */
  readonly id: string;
  /** `host:port`, which names the node from here on. */
  readonly name: string;
  readonly address: Endpoint;
  /** Who claims a slot under the greater epoch has it, which is how the nodes settle it among themselves. */
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
 * Masters that the cluster has given up and relieved of their slots are not part of the answer. A node that does not
 * know its own host gets that of `asked`. The host name is not used: it may not resolve here.
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
    // Until the handshake is over the id is made up.
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

/** The name of the node that listens there. */
export function nodeName({ hostname, port }: Endpoint): string {
  return `${hostname}:${port}`;
}

/** Reads `host:port`, with whatever the bus adds behind it. */
function readEndpoint(text: string, asked: Endpoint): Endpoint {
  const [known = ""] = text.split(/[@,]/, 1);
  const colon = known.lastIndexOf(":");
  return { hostname: known.slice(0, colon) || asked.hostname, port: Number(known.slice(colon + 1)) };
}

/** Slots that are on their way, `[93->-…]` here and `[93-<-…]` there, still are where they were. */
function readRange(text: string): SlotRange[] {
  const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
  return first === undefined ? [] : [[Number(first), Number(last)]];
}
