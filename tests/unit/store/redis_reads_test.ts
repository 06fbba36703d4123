import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { RedisArgument, RedisCommands, RedisScript } from "../../../src/store/redis_commands.ts";
import type { RedisValue } from "../../../src/store/redis_read.ts";
import { MAX_BATCH_BYTES, MAX_BATCH_KEYS, RedisReads } from "../../../src/store/redis_reads.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { RedisProbe } from "../../support/redis_probe.ts";
import { testWithServers } from "../../support/servers.ts";
import { turn } from "../../support/turn.ts";

/** A script that has been sent, and is answered when the test says so. */
interface Sent {
  readonly keys: readonly string[];
  readonly reply: PromiseWithResolvers<unknown>;
}

/** A connection that keeps the scripts it is given. */
class Connection implements Pick<RedisCommands, "spansSlots" | "run"> {
  readonly sent: Sent[] = [];

  constructor(readonly spansSlots = true) {}

  run(_script: RedisScript, keys: readonly string[], ..._args: RedisArgument[]): Promise<unknown> {
    const reply = Promise.withResolvers<unknown>();
    this.sent.push({ keys, reply });
    return reply.promise;
  }

  /** Answers the nth script with what each key holds: its own name. */
  async answer(index: number): Promise<void> {
    const { keys, reply } = this.sent[index]!;
    reply.resolve(keys.flatMap((key) => [bytes(key), -1]));
    await turn();
  }

  get keys(): readonly (readonly string[])[] {
    return this.sent.map(({ keys }) => keys);
  }
}

const bytes = (text: string) => new TextEncoder().encode(text);
const decode = ({ bytes, expiresAtMs }: RedisValue) => `${new TextDecoder().decode(bytes)} ${expiresAtMs}`;

function readsOver(connection: Connection, clock = new FakeClock()): RedisReads<string> {
  return new RedisReads(connection, clock, decode);
}

Deno.test("RedisReads.read() sends what one turn asks for in one script", async () => {
  const connection = new Connection();
  const reads = readsOver(connection);
  const found = Promise.all(["a", "b", "c"].map((key) => reads.read(key)));
  await turn();
  assertEquals(connection.keys, [["a", "b", "c"]]);
  await connection.answer(0);
  assertEquals(await found, ["a Infinity", "b Infinity", "c Infinity"]);
});

Deno.test("RedisReads.read() waits for an answer that Redis owes, and goes out with all that did", async () => {
  const connection = new Connection();
  const reads = readsOver(connection);
  const all = [reads.read("a")];
  await turn();
  all.push(reads.read("b"));
  await turn();
  all.push(reads.read("c"));
  await turn();
  assertEquals(connection.keys, [["a"]]);
  await connection.answer(0);
  assertEquals(connection.keys, [["a"], ["b", "c"]]);
  await connection.answer(1);
  assertEquals(await Promise.all(all), ["a Infinity", "b Infinity", "c Infinity"]);
});

Deno.test("RedisReads.read() counts the time left from before the command, and tells absence", async () => {
  const connection = new Connection();
  const clock = new FakeClock();
  const reads = readsOver(connection, clock);
  const sentAtMs = clock.now();
  const found = Promise.all([reads.read("a"), reads.read("b"), reads.read("c")]);
  await turn();
  clock.advance(1_000);
  connection.sent[0]!.reply.resolve([bytes("x"), 5_000, null, null, bytes("gone"), -2]);
  assertEquals(await found, [`x ${sentAtMs + 5_000}`, undefined, `gone ${sentAtMs}`]);
});

Deno.test("RedisReads asks at most so many keys of one script", async () => {
  const connection = new Connection();
  const reads = readsOver(connection);
  const found = Promise.all(
    Array.from({ length: MAX_BATCH_KEYS * 2 + 1 }, (_, index) => reads.read(`${index}`)),
  );
  await turn();
  assertEquals(connection.keys.map((keys) => keys.length), [MAX_BATCH_KEYS, MAX_BATCH_KEYS, 1]);
  for (const index of [2, 0, 1]) await connection.answer(index);
  assertEquals((await found).at(-1), `${MAX_BATCH_KEYS * 2} Infinity`);
});

Deno.test("RedisReads asks again for the keys that a reply has left out", async () => {
  const connection = new Connection();
  const reads = readsOver(connection);
  const found = Promise.all(["a", "b", "c"].map((key) => reads.read(key)));
  await turn();
  connection.sent[0]!.reply.resolve([bytes("a"), -1]);
  await turn();
  assertEquals(connection.keys, [["a", "b", "c"], ["b", "c"]]);
  await connection.answer(1);
  assertEquals(await found, ["a Infinity", "b Infinity", "c Infinity"]);
});

Deno.test("RedisReads rejects all reads of a script that fails, and goes on with the next ones", async () => {
  const connection = new Connection();
  const reads = readsOver(connection);
  const failed = ["a", "b"].map((key) => assertRejects(() => reads.read(key), Error, "lost"));
  await turn();
  const next = reads.read("c");
  connection.sent[0]!.reply.reject(new Error("lost"));
  await Promise.all(failed);
  await turn();
  await connection.answer(1);
  assertEquals(await next, "c Infinity");
});

Deno.test("RedisReads rejects the reads whose reply nobody can read", async () => {
  const connection = new Connection();
  const reads = readsOver(connection);
  for (const [index, reply] of ["OK", [], [1, 2]].entries()) {
    const failed = assertRejects(() => reads.read("a"), Error, "Cannot read from Redis");
    await turn();
    connection.sent[index]!.reply.resolve(reply);
    await failed;
  }
});

Deno.test("RedisReads sends each key by itself, at once, where a script may not have keys of two slots", async () => {
  const connection = new Connection(false);
  const reads = readsOver(connection);
  const found = Promise.all(["a", "b"].map((key) => reads.read(key)));
  assertEquals(connection.keys, [["a"], ["b"]]);
  await connection.answer(1);
  await connection.answer(0);
  assertEquals(await found, ["a Infinity", "b Infinity"]);
});

testWithServers(["redis"], "RedisReads lets a key of another type fail alone", async (servers) => {
  await using redis = await RedisProbe.open(servers.redis);
  const key = (name: string) => redis.keyPrefix + name;
  await redis.client.set(key("a"), bytes("1"), Infinity);
  await redis.client.call("LPUSH", key("list"), "2");
  await redis.client.set(key("c"), bytes("3"), Infinity);
  const reads = new RedisReads(redis.client, redis.clock, decode);
  const [a, list, none, c] = await Promise.allSettled(
    ["a", "list", "none", "c"].map((name) => reads.read(key(name))),
  );
  assertEquals([a, none, c], [
    { status: "fulfilled", value: "1 Infinity" },
    { status: "fulfilled", value: undefined },
    { status: "fulfilled", value: "3 Infinity" },
  ]);
  assertMatch(String(list?.status === "rejected" && list.reason), /WRONGTYPE/);
});

testWithServers(["redis"], "RedisReads gets values of any size, a few to a script", async (servers) => {
  await using redis = await RedisProbe.open(servers.redis);
  const large = new Uint8Array(MAX_BATCH_BYTES * 0.6).fill(1);
  const keys = Array.from({ length: 7 }, (_, index) => `${redis.keyPrefix}${index}`);
  await Promise.all(keys.map((key) => redis.client.set(key, large, Infinity)));
  const reads = new RedisReads(redis.client, redis.clock, ({ bytes }) => bytes.length);
  assertEquals(await Promise.all(keys.map((key) => reads.read(key))), Array(7).fill(large.length));
});
