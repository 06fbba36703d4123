import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { RedisIncarnation } from "../../../../src/store/redis/epoch.ts";
import { FakeClock } from "../../../support/fake_clock.ts";
import { incarnationOf } from "../../../support/incarnation.ts";
import { askRedis, startRedis } from "../../../support/redis.ts";
import { RedisProbe } from "../../../support/redis_probe.ts";
import { testWithServers } from "../../../support/servers.ts";
import { waitFor } from "../../../support/wait_for.ts";

/** INFO's replies in one life, and how often it was asked for. */
function info(runId: string, replicationId: string) {
  const ask = (section: string) => {
    ask.count++;
    const reply = section === "server"
      ? `# Server\r\nrun_id:${runId}\r\n`
      : `master_replid:${replicationId}\r\n`;
    return Promise.resolve(reply);
  };
  ask.count = 0;
  return ask;
}

Deno.test("RedisIncarnation.learn() tells a restart and a promotion from the same life", async () => {
  const incarnation = new RedisIncarnation(new FakeClock(), () => {});
  const learn = async (runId: string, replicationId: string) => {
    await incarnation.learn(info(runId, replicationId));
    return incarnation.value;
  };
  const first = await learn("a", "x");
  assertEquals(first.length, 16);
  assertEquals(await learn("a", "x"), first);
  assertNotEquals(await learn("b", "x"), first);
  assertNotEquals(await learn("a", "y"), first);
});

Deno.test("RedisIncarnation.learn() takes servers that do not tell for one, and says so once", async () => {
  const told: Error[] = [];
  const incarnation = new RedisIncarnation(new FakeClock(), (error) => told.push(error));
  const refusal = Object.assign(new Error("NOPERM"), { name: "ReplyError" });
  const untold = incarnation.value;
  await incarnation.learn(info("a", "x"));
  for (let times = 0; times < 2; times++) await incarnation.learn(() => Promise.reject(refusal));
  assertEquals(incarnation.value, untold);
  assertEquals(told, [refusal]);
  await incarnation.learn(() => Promise.resolve("a proxy's own words"));
  assertEquals(incarnation.value, untold);
});

Deno.test("RedisIncarnation.doubt() asks once a second at most, and forgives a lost connection", async () => {
  const clock = new FakeClock();
  const incarnation = new RedisIncarnation(clock, () => {});
  await incarnation.learn(info("a", "x"));
  const first = incarnation.value;
  await incarnation.doubt(() => Promise.reject(new Error("Connection is closed.")));
  const ask = info("a", "y");
  clock.advance(999);
  await incarnation.doubt(ask);
  assertEquals(incarnation.value, first);
  clock.advance(1);
  for (let times = 0; times < 3; times++) await incarnation.doubt(ask);
  assertNotEquals(incarnation.value, first);
  assertEquals(ask.count, 2);
});

testWithServers(
  ["redis"],
  "RedisClient.run() puts in the same incarnation on every connection, and another after a restart",
  async () => {
    await using server = await startRedis();
    await using one = await RedisProbe.open(server);
    await using other = await RedisProbe.open(server);
    const before = await incarnationOf(one.client);
    assertEquals(await incarnationOf(other.client), before);
    await server.stop();
    await server.start();
    const after = await waitFor(() => incarnationOf(one.client), { what: "the connection" });
    assertNotEquals(after, before);
  },
);

testWithServers(
  ["redis"],
  "RedisClient.doubtIncarnation() learns the promotion of a replica that it has been connected to",
  async () => {
    await using master = await startRedis();
    await using replica = await startRedis({ args: ["--replicaof", master.hostname, String(master.port)] });
    const answer = (command: string) => askRedis(replica, command);
    await waitFor(
      async () => /^\$\d+\r\n# Replication\r\nrole:slave/.test(await answer("INFO replication")),
      {
        what: "the replica to be one",
      },
    );
    await using redis = await RedisProbe.open(replica);
    const before = await incarnationOf(redis.client);
    assert((await answer("REPLICAOF NO ONE")).startsWith("+OK"));
    redis.client.doubtIncarnation();
    await waitFor(async () => await incarnationOf(redis.client) !== before, { what: "the new life's name" });
  },
);
