import { assertEquals, assertRejects } from "@std/assert";
import { cacheKey } from "../../../../src/core/key.ts";
import { redisScript } from "../../../../src/store/redis/commands.ts";
import { startRedis } from "../../../support/redis/redis.ts";
import { RedisProbe } from "../../../support/redis/probe.ts";
import { testWithServers } from "../../../support/servers/servers.ts";
import { waitFor } from "../../../support/wait_for.ts";

const ECHO = redisScript("return ARGV[1]");

/** A reply of bytes as text. */
function text(reply: unknown): string {
  return reply instanceof Uint8Array ? new TextDecoder().decode(reply) : `no bytes but ${reply}`;
}

testWithServers(
  ["redis"],
  "RedisClient.run() accepts new scripts while it collects commands",
  async (servers) => {
    await using redis = await RedisProbe.open(servers.redis);
    const { client } = redis;
    const [one, , two, three] = await Promise.all([
      client.run(redisScript("return 'one'"), ["k"]),
      client.ping(),
      client.run(redisScript("return 'two'"), ["k"]),
      client.run(redisScript("return 'one'"), ["k"]),
    ]);
    assertEquals([text(one), text(two), text(three)], ["one", "two", "one"]);
  },
);

testWithServers(["redis"], "RedisClient.run() passes every byte, text and numbers on", async (servers) => {
  await using redis = await RedisProbe.open(servers.redis);
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const reply = await redis.client.run(ECHO, ["k"], bytes.subarray(1));
  assertEquals(reply instanceof Uint8Array && new Uint8Array(reply), bytes.slice(1));
  assertEquals(text(await redis.client.run(ECHO, ["k"], "ß\0")), "ß\0");
  assertEquals(text(await redis.client.run(ECHO, ["k"], 2 ** 53 - 1)), "9007199254740991");
});

testWithServers(
  ["redis"],
  "RedisClient.run() rejects with the error of Redis about the script",
  async (servers) => {
    await using redis = await RedisProbe.open(servers.redis);
    const wrong = redisScript("return redis.call('NOSUCHCOMMAND')");
    const run = () => redis.client.run(wrong, ["k"]);
    await assertRejects(run, Error, "Unknown Redis command");
    await assertRejects(run, Error, "Unknown Redis command");
  },
);

testWithServers(
  ["redis"],
  "RedisClient rejects commands that cannot be sent, and serves again after a restart of Redis",
  async () => {
    await using server = await startRedis();
    await using redis = await RedisProbe.open(server);
    assertEquals(text(await redis.client.run(ECHO, ["k"], "before")), "before");
    await server.stop();
    await assertRejects(() => redis.client.run(ECHO, ["k"], "down"), Error);
    await assertRejects(() => redis.client.ping(), Error);
    await server.start();
    const answer = await waitFor(() => redis.client.run(ECHO, ["k"], "after"), { what: "the connection" });
    assertEquals(text(answer), "after");
  },
);

testWithServers(["redis"], "RedisClient ends at once while its server is away", async () => {
  await using server = await startRedis();
  const redis = await RedisProbe.open(server);
  const away = new Promise<void>((resolve) => redis.client.watch({ onReady() {}, onLost: resolve }));
  await server.stop();
  await away;
  // Between two attempts, or in one.
  await redis[Symbol.asyncDispose]();
});

testWithServers(
  ["redis"],
  "RedisClient connects anew when its server refuses writes because it became a replica",
  async () => {
    await using server = await startRedis();
    await using redis = await RedisProbe.open(server);
    const { client, entries } = redis;
    const key = cacheKey("n", "k");
    const change = { value: new Uint8Array(1), expiresAtMs: Infinity };
    let lost = 0;
    client.watch({ onReady() {}, onLost: () => lost++ });
    await entries.write(key, change);
    await client.call("REPLICAOF", server.hostname, "1");
    await assertRejects(() => entries.write(key, change), Error, "READONLY");
    await waitFor(() => lost === 1, { what: "the connection to be given up" });
    await client.ready();
    await client.call("REPLICAOF", "NO", "ONE");
    await entries.write(key, change);
  },
);
