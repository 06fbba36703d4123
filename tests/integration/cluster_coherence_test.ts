/** Local memory is invalidated by each change on each master of a cluster, also while slots and masters change. */
import { assert, assertEquals } from "@std/assert";
import calculateSlot from "cluster-key-slot";
import { type CacheKey, cacheKey } from "../../src/core/key.ts";
import type { InvalidationState } from "../../src/core/ports.ts";
import { CoherentReplica, type CoherentReplicaOptions } from "../support/redis/coherent_replica.ts";
import { redisCli, ThrowawayCluster } from "../support/redis/cluster.ts";
import type { Endpoint } from "../../src/core/endpoint.ts";
import { testWithServers } from "../support/servers/servers.ts";
import { turn } from "../support/turn.ts";
import { waitFor } from "../support/wait_for.ts";

const PREFIX = "p:";
const STORED = (value: string) => `\x01${value}`;
/** The slots of each master of a cluster that has just been made. */
const SLOTS = [[0, 5460], [5461, 10922], [10923, 16383]] as const;

/** A key that the master of this number has. */
function keyOn(master: number): CacheKey {
  const [first, last] = SLOTS[master]!;
  for (let index = 0;; index++) {
    const key = cacheKey("n", `k${index}`);
    const slot = slotOf(key);
    if (slot >= first && slot <= last) return key;
  }
}

function slotOf(key: CacheKey): number {
  return calculateSlot(PREFIX + key);
}

/** Does something at a master, past the service. */
async function at({ port }: Endpoint, ...command: readonly string[]): Promise<string> {
  return await redisCli("-p", String(port), ...command);
}

async function holds(
  value: string | undefined,
  key: CacheKey,
  ...replicas: readonly CoherentReplica[]
): Promise<void> {
  for (const replica of replicas) {
    await waitFor(async () => await replica.read(key) === value && replica.heldOf(key) === value, {
      what: `${value} in memory`,
    });
  }
}

async function replicasOf(
  cluster: ThrowawayCluster,
  state: InvalidationState = "tracking",
  options: Partial<CoherentReplicaOptions> = {},
): Promise<AsyncDisposable & { a: CoherentReplica; b: CoherentReplica }> {
  const resources = new AsyncDisposableStack();
  const open = () =>
    resources.use(new CoherentReplica({ seeds: cluster.seeds }, { keyPrefix: PREFIX, ...options }));
  const [a, b] = [open(), open()];
  await Promise.all([a.becomes(state), b.becomes(state)]);
  return { a, b, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

testWithServers(["redis"], "a change on any master reaches the memory of every replica", async () => {
  await using cluster = await ThrowawayCluster.start();
  await using replicas = await replicasOf(cluster);
  const { a, b } = replicas;
  for (const [index, master] of cluster.masters.entries()) {
    const key = keyOn(index);
    for (let round = 0; round < 5; round++) {
      await a.write(`${round}`, key);
      assertEquals(await a.read(key), `${round}`, "its own write is seen at once");
      await holds(`${round}`, key, a, b);
    }
    await at(master, "SET", PREFIX + key, STORED("by hand"));
    await holds("by hand", key, a, b);
    await at(master, "DEL", PREFIX + key);
    await holds(undefined, key, a, b);
    await a.write("again", key);
    await holds("again", key, b);
    await at(master, "FLUSHALL");
    await holds(undefined, key, a, b);
  }
  assertEquals([a.states, b.states], [["tracking"], ["tracking"]]);
});

testWithServers(
  ["redis"],
  "a slot that is moved to a master without slots is read and written all the while",
  async () => {
    await using cluster = await ThrowawayCluster.start({ spares: 1 });
    await using replicas = await replicasOf(cluster);
    const { a, b } = replicas;
    const from = cluster.masters[0]!;
    const to = cluster.spares[0]!;
    const key = keyOn(0);
    const slot = slotOf(key);
    await a.write("0", key);
    await holds("0", key, a, b);

    // One writes and the other reads, which never sees a value go back.
    let isRunning = true;
    let written = 0;
    const writing = (async () => {
      while (isRunning) {
        // Each second one is too large for a script.
        const next = written + 1;
        await a.write(`${next}`.padStart(next % 2 === 0 ? 10_000 : 1), key);
        written++;
      }
    })();
    let seen = 0;
    const reading = (async () => {
      while (isRunning) {
        const value = Number(await b.read(key));
        assert(value >= seen, `${value} after ${seen}`);
        seen = value;
        await turn();
      }
    })();
    const both = Promise.all([writing, reading]);
    both.catch(() => isRunning = false);
    const writes = (count: number) => {
      const enough = written + count;
      return waitFor(() => written >= enough, { what: `${count} writes` });
    };
    try {
      await writes(20);
      await cluster.moveSlot(slot, from, to, async () => {
        await writes(20);
        // Of a key that is not there the slot's old master knows nothing.
        const fresh = cacheKey("n", `{${PREFIX}${key}}`);
        assertEquals(slotOf(fresh), slot);
        for (const value of ["small", "large".repeat(10_000)]) {
          await a.write(value, fresh);
          assertEquals(await a.read(fresh), value);
        }
        // From here on the new master is to be asked for the key, and the old one still has the slot.
        await at(from, "MIGRATE", to.hostname, String(to.port), PREFIX + key, "0", "5000");
        await writes(20);
        assertEquals((await at(from, "EXISTS", PREFIX + key)).includes("ASK"), true);
      });
      await writes(20);
    } finally {
      isRunning = false;
      await both;
    }
    await holds(`${written}`.padStart(written % 2 === 0 ? 10_000 : 1), key, a, b);
    await at(to, "SET", PREFIX + key, STORED("by hand"));
    await holds("by hand", key, a, b);
    assertEquals([a.states, b.states], [["tracking"], ["tracking"]]);
  },
);

testWithServers(
  ["redis"],
  "memory is used again once the replica of a dead master is promoted and tracked",
  async () => {
    await using cluster = await ThrowawayCluster.start({ spares: 1 });
    const dying = cluster.masters[0]!;
    const heir = cluster.spares[0]!;
    await cluster.replicate(dying, heir);
    await using replicas = await replicasOf(cluster);
    const { a, b } = replicas;
    const [key, other] = [keyOn(0), keyOn(1)];
    await a.write("1", key);
    await a.write("1", other);
    await holds("1", key, a, b);
    await holds("1", other, a, b);

    await dying.stop();
    await Promise.all([a.becomes("lost"), b.becomes("lost")]);
    assertEquals([a.heldOf(key), a.heldOf(other)], [undefined, undefined]);
    assertEquals(await a.read(other), "1", "the other masters answer");
    await Promise.all([a.becomes("tracking"), b.becomes("tracking")]);
    await a.write("2", key);
    await holds("2", key, a, b);
    await at(heir, "SET", PREFIX + key, STORED("by hand"));
    await holds("by hand", key, a, b);

    // Back again, by an operator who does not wait for votes, while both live and no connection is lost.
    await dying.start();
    await cluster.replicate(heir, dying);
    assertEquals(await at(dying, "CLUSTER", "FAILOVER", "TAKEOVER"), "OK\n");
    await waitFor(async () => (await at(dying, "ROLE")).startsWith("master"), {
      what: "the second failover",
    });
    await waitFor(async () => {
      await at(dying, "SET", PREFIX + key, STORED("by hand, again"));
      return await a.read(key) === "by hand, again" && await b.read(key) === "by hand, again";
    }, { what: "the old master to be followed" });
    await a.write("3", key);
    await holds("3", key, a, b);
    await at(dying, "DEL", PREFIX + key);
    await holds(undefined, key, a, b);
  },
);

testWithServers(
  ["redis"],
  "replicas on a cluster publish what they change where tracking is refused",
  async () => {
    await using cluster = await ThrowawayCluster.start();
    for (const master of cluster.masters) {
      await at(master, "ACL", "SETUSER", "app", "on", ">password", "~*", "&*", "+@all", "-client|tracking");
    }
    const account = { username: "app", password: "password" };
    await using replicas = await replicasOf(cluster, "publishing", account);
    const { a, b } = replicas;
    for (const index of cluster.masters.keys()) {
      const key = keyOn(index);
      for (let round = 0; round < 5; round++) {
        await a.write(`${round}`, key);
        await holds(`${round}`, key, a, b);
        assertEquals(a.heldOf(key), `${round}`, "its own write does not invalidate it");
      }
      await b.delete(key);
      await holds(undefined, key, a, b);
    }
  },
);
