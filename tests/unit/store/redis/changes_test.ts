import { ANY_EPOCH } from "../../../../src/core/ports.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { RedisChanges } from "../../../../src/store/redis/changes.ts";
import {
  type RedisArgument,
  type RedisCommands,
  type RedisScript,
  redisScript,
} from "../../../../src/store/redis/commands.ts";
import { RedisChangeLost, refusedLateAtMs } from "../../../../src/store/redis/deadline.ts";
import { FakeClock } from "../../../support/fake_clock.ts";
import { RedisProbe } from "../../../support/redis/probe.ts";
import { testWithServers } from "../../../support/servers/servers.ts";
import { turn } from "../../../support/turn.ts";

const TIMEOUT_MS = 200;
const CHANGES = redisScript("for i, key in ipairs(KEYS) do redis.call('SET', key, ARGV[i]) end");
const CHANGE = redisScript("redis.call('SET', KEYS[1], ARGV[1])");

interface Sent {
  readonly script: RedisScript;
  readonly args: readonly RedisArgument[];
  readonly reply: PromiseWithResolvers<unknown>;
}

/** A connection that records its scripts. */
class Connection implements RedisCommands {
  readonly spansSlots = true;
  readonly epoch = ANY_EPOCH;
  readonly sent: Sent[] = [];

  run(script: RedisScript, _keys: readonly string[], ...args: RedisArgument[]): Promise<unknown> {
    const reply = Promise.withResolvers<unknown>();
    this.sent.push({ script, args, reply });
    return reply.promise;
  }

  setBy = () => Promise.reject(new Error("not expected"));
  ping = () => Promise.resolve();
  change: RedisCommands["change"] = async (...sent) => void await this.run(...sent);
  recheckEpoch(): void {}
}

function setUp() {
  const clock = new FakeClock();
  const connection = new Connection();
  const changes = new RedisChanges(connection, "p:", {
    clock,
    timeoutMs: TIMEOUT_MS,
    newSender: () => "s".repeat(36),
  });
  return { clock, connection, changes };
}

Deno.test("RedisChanges sends the published messages after the arguments and before a deadline, while it publishes", async () => {
  const { clock, connection, changes } = setUp();
  const message = (key: string) => "s".repeat(36) + key;
  const deadline = changes.newDeadline();
  assertEquals(deadline.atMs, clock.monotonic() + TIMEOUT_MS);
  const send = () => [
    changes.change(CHANGE, ["p:k", "p:lease"], "v"),
    changes.changeAll(CHANGES, ["p:k", "p:l"], "v", "w", deadline),
  ];
  const done = send();
  changes.disablePublishing();
  done.push(...send());
  const { sent } = connection;
  assertEquals(sent.map(({ args }) => args), [
    ["v", message("k"), 1, "p:invalidate"],
    ["v", "w", message("k"), message("l"), 2, "p:invalidate", deadline],
    ["v"],
    ["v", "w", deadline],
  ]);
  assertEquals(sent.map(({ script }) => script.lua.includes("PUBLISH")), [true, true, false, false]);
  assertEquals(sent.map(({ script }) => script.lua.includes("LATE")), [false, true, false, true]);
  for (const { reply } of sent) reply.resolve(null);
  await Promise.all(done);
});

Deno.test("RedisChanges.settled() resolves at the deadline of a lost change, and at once for other errors", async () => {
  const { clock, changes } = setUp();
  const outcomes: string[] = [];
  const settle = async (error: Error) => {
    await changes.settled(error);
    outcomes.push(error.message);
  };
  const lost = settle(new RedisChangeLost(changes.newDeadline(), new Error("Connection is closed.")));
  await settle(new Error("OOM"));
  clock.advance(TIMEOUT_MS - 1);
  await turn();
  assertEquals(outcomes, ["OOM"]);
  clock.advance(1);
  await lost;
  assertEquals(outcomes.length, 2);
});

testWithServers(
  ["redis"],
  "a change that comes too late is refused with Redis's time, and not made",
  async (servers) => {
    await using redis = await RedisProbe.open(servers.redis);
    const key = `${redis.keyPrefix}k`;
    for (const tells of [true, false]) {
      const changes = new RedisChanges(redis.client, redis.keyPrefix, {
        clock: redis.clock,
        timeoutMs: -1000,
        newSender: () => crypto.randomUUID(),
      });
      if (!tells) changes.disablePublishing();
      const error = await assertRejects(
        () => changes.changeAll(CHANGE, [key], "late", changes.newDeadline()),
        Error,
        "LATE",
      );
      const offMs = Math.abs(refusedLateAtMs(error)! - Date.now());
      assert(offMs < 5_000, `Redis is ${offMs} ms off`);
      assertEquals(await redis.bytesAt(key), undefined);
      // Without the deadline Redis would make the change.
      await redis.client.change(CHANGE, [key], "made");
      await redis.client.call("DEL", key);
    }
  },
);
