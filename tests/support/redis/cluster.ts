import { findProgram } from "../servers/find_program.ts";
import { freePort } from "../network/free_port.ts";
import { askRedis, ThrowawayRedis } from "./redis.ts";
import type { Endpoint } from "../../../src/core/endpoint.ts";
import { waitFor } from "../wait_for.ts";

/** The silence of a node after which the others promote its replica. */
const NODE_TIMEOUT_MS = 1000;

/** A node's bus port minus its port. */
const BUS_OFFSET = 10_000;

/** The options of a cluster of three masters. */
export interface ThrowawayClusterOptions {
  /** The number of nodes without slots: masters, or replicas after {@link ThrowawayCluster.replicate}. */
  readonly spares?: number;
  /** Further settings of the node with this number. */
  readonly settings?: (index: number) => Readonly<Record<string, string>>;
}

/** A cluster for one test: three masters with a third of the slots each. */
export class ThrowawayCluster implements AsyncDisposable {
  readonly #resources: AsyncDisposableStack;
  readonly masters: readonly ThrowawayRedis[];
  /** Members of the cluster without slots. */
  readonly spares: readonly ThrowawayRedis[];

  private constructor(nodes: readonly ThrowawayRedis[], resources: AsyncDisposableStack) {
    this.masters = nodes.slice(0, 3);
    this.spares = nodes.slice(3);
    this.#resources = resources;
  }

  /** Starts the nodes, and resolves once all of them know that every slot is served. */
  static async start(
    { spares = 0, settings: further = () => ({}) }: ThrowawayClusterOptions = {},
  ): Promise<ThrowawayCluster> {
    await using resources = new AsyncDisposableStack();
    const program = findProgram("redis-server");
    if (program === undefined) throw new Error("Cannot start a cluster: redis-server is not on the PATH");
    const folder = await Deno.makeTempDir({ prefix: "cacheserver-cluster-" });
    resources.defer(() => Deno.remove(folder, { recursive: true }));
    const nodes = await Promise.all(
      Array.from(
        { length: 3 + spares },
        async (_, index) => resources.use(await startNode(program, folder, further(index))),
      ),
    );
    await create(nodes.slice(0, 3));
    const cluster = new ThrowawayCluster(nodes, resources.move());
    const { hostname, port } = cluster.masters[0]!;
    for (const spare of cluster.spares) await askRedis(spare, `CLUSTER MEET ${hostname} ${port}`);
    await allKnow(nodes);
    return cluster;
  }

  get seeds(): readonly Endpoint[] {
    return this.masters.map(({ hostname, port }) => ({ hostname, port }));
  }

  /** Makes a spare the replica of a master; resolves once it has the master's data. */
  async replicate(master: Endpoint, spare: Endpoint): Promise<void> {
    await askRedis(spare, `CLUSTER REPLICATE ${await nodeId(master)}`);
    await waitFor(async () => (await askRedis(spare, "INFO replication")).includes("master_link_status:up"), {
      what: "the replica to have what its master has",
      timeoutMs: 15_000,
    });
  }

  /** Moves the slot and its keys as `redis-cli --cluster reshard` does; `midway` runs while the slot migrates. */
  async moveSlot(
    slot: number,
    from: Endpoint,
    to: Endpoint,
    midway: () => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    const [fromId, toId] = await Promise.all([nodeId(from), nodeId(to)]);
    await ok(to, `CLUSTER SETSLOT ${slot} IMPORTING ${fromId}`);
    await ok(from, `CLUSTER SETSLOT ${slot} MIGRATING ${toId}`);
    await midway();
    for (;;) {
      const keys = (await redisCli("-p", String(from.port), "CLUSTER", "GETKEYSINSLOT", String(slot), "100"))
        .split("\n").filter(Boolean);
      if (keys.length === 0) break;
      await redisCli(
        "-p",
        String(from.port),
        "MIGRATE",
        to.hostname,
        String(to.port),
        "",
        "0",
        "5000",
        "KEYS",
        ...keys,
      );
    }
    for (const node of [to, from]) await ok(node, `CLUSTER SETSLOT ${slot} NODE ${toId}`);
  }

  /** Makes every other node forget this one, which does not notice. */
  async forget(node: Endpoint): Promise<void> {
    const id = await nodeId(node);
    for (const other of this.#nodes) if (other !== node) await ok(other, `CLUSTER FORGET ${id}`);
  }

  /** Makes a reset node a member without slots; resolves once all members know it. */
  async adopt(node: ThrowawayRedis): Promise<void> {
    const { hostname, port } = this.masters[0]!;
    await ok(node, `CLUSTER MEET ${hostname} ${port}`);
    await allKnow([...this.#nodes, node]);
  }

  /** Raises the epoch of each master above those of a young cluster. */
  async raiseEpochs(): Promise<void> {
    for (let round = 0; round < 10; round++) {
      for (const master of this.masters) await askRedis(master, "CLUSTER BUMPEPOCH");
    }
  }

  /** Resets every master and makes a cluster of them again, in which each has another id than before. */
  async recreate(): Promise<void> {
    for (const master of this.masters) await wipe(master);
    await create(this.masters);
    await allKnow(this.masters);
  }

  get #nodes(): readonly ThrowawayRedis[] {
    return [...this.masters, ...this.spares];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

/** Another program may take a port between the check and its use. */
const MAX_START_ATTEMPTS = 5;

async function startNode(
  program: string,
  folder: string,
  further: Readonly<Record<string, string>>,
): Promise<ThrowawayRedis> {
  for (let attempt = 1;; attempt++) {
    const port = freePortWithBus();
    const settings: Readonly<Record<string, string>> = {
      "cluster-enabled": "yes",
      "cluster-config-file": `nodes-${port}.conf`,
      "cluster-node-timeout": String(NODE_TIMEOUT_MS),
      // Slots of running masters are served although other slots are not.
      "cluster-require-full-coverage": "no",
      "repl-diskless-sync-delay": "0",
      "dir": folder,
      "dbfilename": `${port}.rdb`,
      ...further,
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
    const node = new ThrowawayRedis(program, port, args);
    try {
      await node.start();
      return node;
    } catch (error) {
      await node.stop();
      if (attempt === MAX_START_ATTEMPTS) throw error;
    }
  }
}

/** Makes a node forget its keys, slots, cluster and id. */
export async function wipe(node: Endpoint): Promise<void> {
  // Together, because a node with a key cannot be reset. Scripts and transactions cannot reset a node.
  await waitFor(async () => (await askRedis(node, "FLUSHALL\r\nCLUSTER RESET HARD")).endsWith("+OK\r\n"), {
    what: "the node to be reset",
  });
}

async function create(masters: readonly Endpoint[]): Promise<void> {
  const addresses = masters.map(({ hostname, port }) => `${hostname}:${port}`);
  await redisCli("--cluster", "create", ...addresses, "--cluster-yes");
}

/** Resolves once these nodes know each other, no others, and that every slot is served. */
async function allKnow(nodes: readonly Endpoint[]): Promise<void> {
  await Promise.all(nodes.map((node) =>
    waitFor(async () => {
      const info = await askRedis(node, "CLUSTER INFO");
      return info.includes("cluster_state:ok") && info.includes(`cluster_known_nodes:${nodes.length}`);
    }, { what: "every node to know the cluster", timeoutMs: 15_000 })
  ));
}

async function nodeId(node: Endpoint): Promise<string> {
  return (await askRedis(node, "CLUSTER MYID")).split("\r\n")[1]!;
}

async function ok(node: Endpoint, command: string): Promise<void> {
  const answer = await askRedis(node, command);
  if (!answer.startsWith("+OK")) throw new Error(`Redis answered ${command} with ${answer}`);
}

/** Runs redis-cli to its end; resolves to what it printed. */
export async function redisCli(...args: readonly string[]): Promise<string> {
  const program = findProgram("redis-cli");
  if (program === undefined) throw new Error("Cannot make a cluster: redis-cli is not on the PATH");
  const { code, stdout, stderr } = await new Deno.Command(program, { args: [...args] }).output();
  const decoder = new TextDecoder();
  if (code !== 0) {
    throw new Error(`redis-cli ended with ${code}: ${decoder.decode(stdout)}${decoder.decode(stderr)}`);
  }
  return decoder.decode(stdout);
}

/** A free port whose bus port is free too. */
function freePortWithBus(): number {
  for (;;) {
    const port = freePort();
    if (port + BUS_OFFSET > 65_535) continue;
    try {
      using _bus = Deno.listen({ hostname: "127.0.0.1", port: port + BUS_OFFSET });
      return port;
    } catch {
      // Taken: the next one.
    }
  }
}
