/** What becomes of a command whose connection was lost before it was answered; see RedisSuccession. */
import { assertEquals, assertRejects } from "@std/assert";
import { systemClock } from "../../src/core/clock.ts";
import { cacheKey } from "../../src/core/key.ts";
import { RedisClient } from "../../src/store/redis_client.ts";
import { startRedis } from "../support/redis.ts";
import { RedisProbe } from "../support/redis_probe.ts";
import { testWithServers } from "../support/servers.ts";
import { SlowLink } from "../support/slow_link.ts";
import { waitFor } from "../support/wait_for.ts";

const KEY = cacheKey("n", "k");
const text = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes);
const bytes = (text: string) => new TextEncoder().encode(text);

function connect(port: number): RedisClient {
  const options = { hostname: "127.0.0.1", port, username: "", password: "", db: 0, connectTimeoutMs: 5_000 };
  return new RedisClient(options, systemClock, () => {});
}

testWithServers(
  ["redis"],
  "RedisClient never lets what a lost connection sent overtake what the next one wrote",
  async (servers) => {
    await using redis = await RedisProbe.open(servers.redis);
    using link = new SlowLink(servers.redis);
    await using client = connect(link.port);
    await client.ready();
    const key = redis.keyPrefix + KEY;
    await client.set(key, bytes("0"), Infinity);
    for (let round = 1; round <= 5; round++) {
      link.hold();
      const unknown = assertRejects(() => client.set(key, bytes(`lost ${round}`), Infinity), Error);
      await waitFor(() => link.held > 0, { what: "the command to be on its way" });
      link.cutClients();
      await unknown;
      await client.ready();
      await client.set(key, bytes(`acknowledged ${round}`), Infinity);
      await link.deliver();
      // The server has taken what came before this, on whichever connection.
      await redis.client.ping();
      await client.ping();
      assertEquals(text(await redis.bytes(KEY)), `acknowledged ${round}`);
    }
  },
);

testWithServers(
  ["redis"],
  "RedisClient outlasts a frozen Redis that reads what a dead connection had sent",
  async () => {
    await using server = await startRedis();
    await using redis = await RedisProbe.open(server);
    using link = new SlowLink(server);
    await using client = connect(link.port);
    await client.ready();
    const key = redis.keyPrefix + KEY;
    await client.set(key, bytes("0"), Infinity);
    server.pause();
    const unknown = assertRejects(() => client.set(key, bytes("lost"), Infinity), Error);
    link.cutClients();
    await unknown;
    server.resume();
    await client.ready();
    await client.set(key, bytes("acknowledged"), Infinity);
    assertEquals(text(await redis.bytes(KEY)), "acknowledged");
  },
);

testWithServers(
  ["redis"],
  "RedisClient serves where an access list forbids CLIENT KILL and INFO, and tells of it",
  async () => {
    await using server = await startRedis({
      args: "--user app on >pw ~* +@all -client|kill -client|info".split(" "),
    });
    const told: string[] = [];
    await using client = new RedisClient(
      {
        hostname: "127.0.0.1",
        port: server.port,
        username: "app",
        password: "pw",
        db: 0,
        connectTimeoutMs: 5_000,
      },
      systemClock,
      (error) => told.push(error.message),
    );
    await client.ready();
    await client.ping();
    assertEquals(told.length, 1, told.join("\n"));
  },
);
