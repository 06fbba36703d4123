import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { RedisEpoch } from "../../../../src/store/redis/epoch.ts";
import { FakeClock } from "../../../support/fake_clock.ts";
import { epochOf } from "../../../support/redis/epoch_of.ts";
import { askRedis, startRedis } from "../../../support/redis/redis.ts";
import { RedisProbe } from "../../../support/redis/probe.ts";
import { testWithServers } from "../../../support/servers/servers.ts";
import { waitFor } from "../../../support/wait_for.ts";

/** INFO's replies in one epoch, and the number of requests. */
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

Deno.test("RedisEpoch.learn() gives a restart and a promotion another epoch", async () => {
  const epoch = new RedisEpoch(new FakeClock(), () => {});
  const learn = async (runId: string, replicationId: string) => {
    await epoch.learn(info(runId, replicationId));
    return epoch.value;
  };
  const first = await learn("a", "x");
  assertEquals(first.length, 16);
  assertEquals(await learn("a", "x"), first);
  assertNotEquals(await learn("b", "x"), first);
  assertNotEquals(await learn("a", "y"), first);
});

Deno.test("RedisEpoch.learn() treats servers that refuse INFO as one epoch, and reports it once", async () => {
  const refusals: Error[] = [];
  const epoch = new RedisEpoch(new FakeClock(), (error) => refusals.push(error));
  const refusal = Object.assign(new Error("NOPERM"), { name: "ReplyError" });
  const untold = epoch.value;
  await epoch.learn(info("a", "x"));
  for (let times = 0; times < 2; times++) await epoch.learn(() => Promise.reject(refusal));
  assertEquals(epoch.value, untold);
  assertEquals(refusals, [refusal]);
  await epoch.learn(() => Promise.resolve("a proxy's own words"));
  assertEquals(epoch.value, untold);
});

Deno.test("RedisEpoch.recheck() asks at most once a second, and ignores a lost connection", async () => {
  const clock = new FakeClock();
  const epoch = new RedisEpoch(clock, () => {});
  await epoch.learn(info("a", "x"));
  const first = epoch.value;
  await epoch.recheck(() => Promise.reject(new Error("Connection is closed.")));
  const ask = info("a", "y");
  clock.advance(999);
  await epoch.recheck(ask);
  assertEquals(epoch.value, first);
  clock.advance(1);
  for (let times = 0; times < 3; times++) await epoch.recheck(ask);
  assertNotEquals(epoch.value, first);
  assertEquals(ask.count, 2);
});

testWithServers(
  ["redis"],
  "RedisClient.run() sends the same epoch on every connection, and another after a restart",
  async () => {
    await using server = await startRedis();
    await using one = await RedisProbe.open(server);
    await using other = await RedisProbe.open(server);
    const before = await epochOf(one.client);
    assertEquals(await epochOf(other.client), before);
    await server.stop();
    await server.start();
    const after = await waitFor(() => epochOf(one.client), { what: "the connection" });
    assertNotEquals(after, before);
  },
);

testWithServers(
  ["redis"],
  "RedisClient.recheckEpoch() learns the promotion of a replica that it has been connected to",
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
    const before = await epochOf(redis.client);
    assert((await answer("REPLICAOF NO ONE")).startsWith("+OK"));
    redis.client.recheckEpoch();
    await waitFor(async () => await epochOf(redis.client) !== before, { what: "the new epoch" });
  },
);
