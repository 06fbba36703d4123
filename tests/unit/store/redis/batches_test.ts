import { assertEquals, assertRejects } from "@std/assert";
import {
  type BatchScript,
  MAX_SCRIPTS_UNDER_WAY,
  RedisBatches,
} from "../../../../src/store/redis/batches.ts";
import {
  type RedisArgument,
  type RedisCommands,
  type RedisScript,
  redisScript,
} from "../../../../src/store/redis/commands.ts";
import { FakeClock } from "../../../support/fake_clock.ts";
import { turn } from "../../../support/turn.ts";

/** A script that was sent; the test answers it. */
interface Sent {
  readonly keys: readonly string[];
  readonly args: readonly RedisArgument[];
  readonly reply: PromiseWithResolvers<unknown>;
}

/** A connection that records its scripts. */
class Connection implements Pick<RedisCommands, "spansSlots" | "run"> {
  readonly sent: Sent[] = [];

  constructor(readonly spansSlots = true) {}

  run(_script: RedisScript, keys: readonly string[], ...args: RedisArgument[]): Promise<unknown> {
    const reply = Promise.withResolvers<unknown>();
    this.sent.push({ keys, args, reply });
    return reply.promise;
  }

  /** Answers the nth script with the names of its keys, or with `names`. */
  async answer(index: number, names: readonly string[] = this.sent[index]!.keys): Promise<void> {
    this.sent[index]!.reply.resolve(names);
    await turn();
  }

  get keys(): readonly (readonly string[])[] {
    return this.sent.map(({ keys }) => keys);
  }
}

const MAX_REQUESTS = 3;

/** The result of a request is its name in the reply and the time of sending; "bad" fails alone. */
const ECHO: BatchScript<string, string> = {
  script: redisScript("return KEYS"),
  maxRequests: MAX_REQUESTS,
  keysOf: (requests) => requests,
  argumentsOf: (requests) => [`of ${requests.length}`],
  read(reply, _requests, sentAtMs) {
    const names = reply as readonly string[];
    return {
      count: names.length,
      at(index) {
        if (names[index] === "bad") throw new Error("bad alone");
        return `${names[index]} ${sentAtMs}`;
      },
    };
  },
};

function open(connection: Connection, clock = new FakeClock()) {
  const batches = new RedisBatches(connection, clock, ECHO);
  const nowMs = clock.now();
  return {
    batches,
    clock,
    /** The results of requests that were sent at the start. */
    answered: (...names: string[]) => names.map((name) => `${name} ${nowMs}`),
  };
}

Deno.test("RedisBatches.run() sends what one turn asks for in one script", async () => {
  const connection = new Connection();
  const { batches, answered } = open(connection);
  const results = Promise.all(["a", "b", "c"].map((key) => batches.run(key)));
  await turn();
  assertEquals(connection.keys, [["a", "b", "c"]]);
  assertEquals(connection.sent[0]!.args, ["of 3"]);
  await connection.answer(0);
  assertEquals(await results, answered("a", "b", "c"));
});

Deno.test("RedisBatches.run() waits while the maximum of scripts is under way, and then sends all waiting requests in one", async () => {
  const connection = new Connection();
  const { batches, answered } = open(connection);
  const first = Array.from({ length: MAX_SCRIPTS_UNDER_WAY }, (_, index) => `first ${index}`);
  const all: Promise<string>[] = [];
  for (const name of [...first, "b", "c"]) {
    all.push(batches.run(name));
    await turn();
  }
  assertEquals(connection.keys, first.map((name) => [name]));
  await connection.answer(1);
  assertEquals(connection.keys, [...first.map((name) => [name]), ["b", "c"]]);
  await connection.answer(0);
  await connection.answer(first.length);
  assertEquals(await Promise.all(all), answered(...first, "b", "c"));
});

Deno.test("RedisBatches passes read() the time when the script was sent, not when it was answered", async () => {
  const connection = new Connection();
  const { batches, clock, answered } = open(connection);
  const result = batches.run("a");
  await turn();
  clock.advance(1_000);
  await connection.answer(0);
  assertEquals([await result], answered("a"));
});

Deno.test("RedisBatches puts at most maxRequests into a script", async () => {
  const connection = new Connection();
  const { batches } = open(connection);
  const results = Promise.all(
    Array.from({ length: MAX_REQUESTS * 2 + 1 }, (_, index) => batches.run(`${index}`)),
  );
  await turn();
  assertEquals(connection.keys.map((keys) => keys.length), [MAX_REQUESTS, MAX_REQUESTS, 1]);
  for (const index of [2, 0, 1]) await connection.answer(index);
  assertEquals((await results).length, MAX_REQUESTS * 2 + 1);
});

Deno.test("RedisBatches sends the requests that a reply left out again", async () => {
  const connection = new Connection();
  const { batches, answered } = open(connection);
  const results = Promise.all(["a", "b", "c"].map((key) => batches.run(key)));
  await turn();
  await connection.answer(0, ["a"]);
  assertEquals(connection.keys, [["a", "b", "c"], ["b", "c"]]);
  await connection.answer(1);
  assertEquals(await results, answered("a", "b", "c"));
});

Deno.test("RedisBatches rejects all requests of a failed script, and serves later ones", async () => {
  const connection = new Connection();
  const { batches, answered } = open(connection);
  const failed = ["a", "b"].map((key) => assertRejects(() => batches.run(key), Error, "lost"));
  await turn();
  connection.sent[0]!.reply.reject(new Error("lost"));
  await Promise.all(failed);
  const next = batches.run("c");
  await turn();
  await connection.answer(1);
  assertEquals([await next], answered("c"));
});

Deno.test("RedisBatches rejects a request whose deadline passed while it waited, and sends the rest", async () => {
  const connection = new Connection();
  const clock = new FakeClock();
  const dueMs = clock.monotonic() + 5;
  const batches = new RedisBatches(connection, clock, {
    ...ECHO,
    dueMs: (name) => name === "late" ? dueMs : Infinity,
  });
  const first = Array.from({ length: MAX_SCRIPTS_UNDER_WAY }, (_, index) => `first ${index}`);
  const sent: Promise<string>[] = [];
  for (const name of first) {
    sent.push(batches.run(name));
    await turn();
  }
  const late = assertRejects(() => batches.run("late"), Error, "the deadline passed in the queue");
  const next = batches.run("next");
  clock.advance(5);
  await connection.answer(0);
  await late;
  assertEquals(connection.keys, [...first.map((name) => [name]), ["next"]]);
  for (const index of [1, 2]) await connection.answer(index);
  await Promise.all([...sent, next]);
});

Deno.test("RedisBatches rejects a request that failed alone, and no other", async () => {
  const connection = new Connection();
  const { batches, answered } = open(connection);
  const results = Promise.allSettled(["a", "b", "c"].map((key) => batches.run(key)));
  await turn();
  await connection.answer(0, ["a", "bad", "c"]);
  const [a, b, c] = await results;
  assertEquals([a, c].map((each) => each?.status === "fulfilled" && each.value), answered("a", "c"));
  assertEquals(b?.status === "rejected" && b.reason.message, "bad alone");
});

Deno.test("RedisBatches rejects the requests of a reply with no result or too many", async () => {
  const connection = new Connection();
  const { batches } = open(connection);
  for (const [index, reply] of [[], ["a", "b"]].entries()) {
    const failed = assertRejects(() => batches.run("a"), Error, "Cannot read from Redis");
    await turn();
    await connection.answer(index, reply);
    await failed;
  }
});

Deno.test("RedisBatches sends each request alone and at once if a script may not span slots", async () => {
  const connection = new Connection(false);
  const { batches, answered } = open(connection);
  const results = Promise.all(["a", "b", "c"].map((key) => batches.run(key)));
  assertEquals(connection.keys, [["a"], ["b"], ["c"]]);
  for (const index of [1, 0, 2]) await connection.answer(index);
  assertEquals(await results, answered("a", "b", "c"));
});
