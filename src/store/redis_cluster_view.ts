import type { RedisAddress } from "./redis_options.ts";

/** A master of a cluster as one of its nodes sees it. */
export interface ClusterMaster {
  /** `host:port`, which names the node from here on. */
  readonly name: string;
  readonly address: RedisAddress;
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
 * Masters without slots are among the answer, since keys are moved to them before any slot is theirs; those that the
 * cluster has given up and relieved of their slots are not. `asked` stands in where a node does not know its own host.
 */
export function readClusterNodes(reply: string, asked: RedisAddress): ClusterMaster[] {
  const masters: ClusterMaster[] = [];
  for (const line of reply.split("\n")) {
    const [, endpoint, flagText, , , , epoch, , ...ranges] = line.trimEnd().split(" ");
    if (endpoint === undefined || flagText === undefined) continue;
    const flags = flagText.split(",");
    if (!flags.includes("master") || flags.includes("noaddr") || flags.includes("handshake")) continue;
    const slots = ranges.flatMap(readRange);
    if (flags.includes("fail") && slots.length === 0) continue;
    const address = readEndpoint(endpoint, asked);
    masters.push({ name: nodeName(address), address, epoch: Number(epoch), slots });
  }
  return masters;
}

/** The name of the node that listens there. */
export function nodeName({ hostname, port }: RedisAddress): string {
  return `${hostname}:${port}`;
}

/** Reads `host:port`, with whatever the bus adds behind it. */
function readEndpoint(text: string, asked: RedisAddress): RedisAddress {
  const [known = ""] = text.split(/[@,]/, 1);
  const colon = known.lastIndexOf(":");
  return { hostname: known.slice(0, colon) || asked.hostname, port: Number(known.slice(colon + 1)) };
}

/** Slots that are on their way, `[93->-…]`, still are where they were. */
function readRange(text: string): SlotRange[] {
  const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
  return first === undefined ? [] : [[Number(first), Number(last)]];
}
