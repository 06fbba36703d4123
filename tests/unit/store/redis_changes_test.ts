import { assert, assertEquals, assertRejects } from "@std/assert";
import { RedisChanges } from "../../../src/store/redis_changes.ts";
import {
  type RedisArgument,
  type RedisCommands,
  type RedisScript,
  redisScript,
} from "../../../src/store/redis_commands.ts";
import { RedisChangeLost, RedisDeadline, refusedLateAtMs } from "../../../src/store/redis_deadline.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { RedisProbe } from "../../support/redis_probe.ts";
import { testWithServers } from "../../support/servers.ts";
import { turn } from "../../support/turn.ts";

const TIMEOUT_MS = 200;
const CHANGE = redisScript("redis.call('SET', KEYS[1], ARGV[1])");

interface Sent {
  readonly script: RedisScript;
  readonly args: readonly RedisArgument[];
  readonly reply: PromiseWithResolvers<unknown>;
}

/** A connection that keeps what it is given. */
class Connection implements RedisCommands {
  readonly spansSlots = true;
  readonly sent: Sent[] = [];

  run(script: RedisScript, _keys: readonly string[], ...args: RedisArgument[]): Promise<unknown> {
    const reply = Promise.withResolvers<unknown>();
    this.sent.push({ script, args, reply });
    return reply.promise;
  }

  setBy = () => Promise.reject(new Error("not expected"));
  ping = () => Promise.resolve();
  change = () => Promise.reject(new Error("not expected"));
  doubtIncarnation(): void {}
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

Deno.test("RedisChanges.change() sends the deadline last, what others are told before it, and nothing of that once Redis tells them", async () => {
  const { clock, connection, changes } = setUp();
  const began = clock.monotonic();
  const telling = changes.change(CHANGE, ["p:k"], "v");
  changes.leaveItToRedis();
  clock.advance(5);
  const silent = changes.change(CHANGE, ["p:k"], "v");
  const [told, untold] = connection.sent as [Sent, Sent];
  const message = `${"s".repeat(36)}k`;
  assertEquals(told.args, ["v", message, 1, "p:invalidate", new RedisDeadline(began + TIMEOUT_MS)]);
  assertEquals(untold.args, ["v", new RedisDeadline(began + 5 + TIMEOUT_MS)]);
  assert(told.script.lua.includes("PUBLISH") && !untold.script.lua.includes("PUBLISH"));
  for (const { reply } of [told, untold]) reply.resolve(null);
  await Promise.all([telling, silent]);
});

Deno.test("RedisChanges tells that the outcome of a lost change is unknown once it is over, other errors at once", async () => {
  const { clock, connection, changes } = setUp();
  const outcomes: string[] = [];
  const change = (name: string) =>
    changes.change(CHANGE, ["p:k"], name).catch((error) => outcomes.push(`${name}: ${error.message}`));
  const lost = change("lost");
  const refused = change("refused");
  await turn();
  const deadline = connection.sent[0]!.args.at(-1) as RedisDeadline;
  connection.sent[0]!.reply.reject(new RedisChangeLost(deadline, new Error("Connection is closed.")));
  connection.sent[1]!.reply.reject(new Error("OOM"));
  await refused;
  clock.advance(TIMEOUT_MS - 1);
  await turn();
  assertEquals(outcomes, ["refused: OOM"]);
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
      if (!tells) changes.leaveItToRedis();
      const error = await assertRejects(() => changes.change(CHANGE, [key], "late"), Error, "LATE");
      const offMs = Math.abs(refusedLateAtMs(error)! - Date.now());
      assert(offMs < 5_000, `Redis is ${offMs} ms off`);
      assertEquals(await redis.bytesAt(key), undefined);
      // Without the deadline it would have been made.
      await redis.client.change(CHANGE, [key], "made");
      await redis.client.call("DEL", key);
    }
  },
);
