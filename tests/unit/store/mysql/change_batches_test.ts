import { assertEquals, assertRejects } from "@std/assert";
import { ServiceError } from "../../../../src/core/errors.ts";
import { databaseUnavailable } from "../../../../src/store/database_error.ts";
import { MAX_CHANGES_TOGETHER, MysqlChangeBatches } from "../../../../src/store/mysql/change_batches.ts";
import type { MysqlPool } from "../../../../src/store/mysql/pool.ts";
import type { MysqlSession } from "../../../../src/store/mysql/session.ts";
import { turn } from "../../../support/turn.ts";

const SIGNAL = new AbortController().signal;
const EPOCH = "x";

/** Changes that have been sent as one statement, and are answered when the test says so. */
interface Sent {
  readonly how: "alone" | "together";
  readonly changes: readonly string[];
  readonly epoch: string;
  readonly reply: PromiseWithResolvers<readonly string[]>;
}

/** A pool that lends a connection when the test says so, and the statements that are sent on it. */
class FakeServer implements Pick<MysqlPool, "change"> {
  readonly sent: Sent[] = [];
  readonly #asking: PromiseWithResolvers<void>[] = [];
  canJoin = true;

  async change<T>(work: (session: MysqlSession) => Promise<T>): Promise<T> {
    const place = Promise.withResolvers<void>();
    this.#asking.push(place);
    await place.promise;
    return await work({} as MysqlSession);
  }

  async lend(): Promise<void> {
    this.#asking.shift()!.resolve();
    await turn();
  }

  async refuse(error: unknown): Promise<void> {
    this.#asking.shift()!.reject(error);
    await turn();
  }

  /** Lends a connection to all that ask for one. */
  async lendAll(): Promise<void> {
    while (this.#asking.length > 0) await this.lend();
  }

  send(how: Sent["how"], changes: readonly string[], epoch: string): Promise<readonly string[]> {
    const reply = Promise.withResolvers<readonly string[]>();
    this.sent.push({ how, changes, epoch, reply });
    return reply.promise;
  }

  async answer(index: number): Promise<void> {
    const { changes, reply } = this.sent[index]!;
    reply.resolve(changes.map((change) => `made ${change}`));
    await turn();
  }

  async fail(index: number, error: unknown): Promise<void> {
    this.sent[index]!.reply.reject(error);
    await turn();
  }

  get statements(): readonly string[] {
    return this.sent.map(({ how, changes }) => `${how} ${changes.join(" ")}`);
  }
}

function open() {
  const server = new FakeServer();
  const batches = new MysqlChangeBatches<string, string>(server, {
    canJoin: () => server.canJoin,
    alone: async (_session, change, epoch) => (await server.send("alone", [change], epoch))[0]!,
    together: (_session, changes, epoch) => server.send("together", changes, epoch),
  });
  const make = (change: string, { epoch = EPOCH, signal = SIGNAL } = {}) =>
    batches.make(change[0]!, change, epoch, signal);
  return { server, make };
}

function busy(): Error {
  return Object.assign(new Error("Lock wait timeout exceeded"), { errno: 1205 });
}

Deno.test("MysqlChangeBatches makes a change alone if no other waits", async () => {
  const { server, make } = open();
  const made = make("a");
  await server.lendAll();
  assertEquals(server.statements, ["alone a"]);
  await server.answer(0);
  assertEquals(await made, "made a");
});

Deno.test("MysqlChangeBatches joins the changes that wait for a connection, 1, 2, 4 … in a statement", async () => {
  const { server, make } = open();
  const made = Promise.all(["a", "b", "c", "d", "e", "f", "g"].map((change) => make(change)));
  await server.lendAll();
  assertEquals(server.statements, ["together a b c d", "together e f", "alone g"]);
  for (const index of [0, 1, 2]) await server.answer(index);
  assertEquals((await made).join(), "made a,made b,made c,made d,made e,made f,made g");
});

Deno.test("MysqlChangeBatches has at most MAX_CHANGES_TOGETHER changes in a statement", async () => {
  const { server, make } = open();
  const changes = Array.from(
    { length: MAX_CHANGES_TOGETHER + 1 },
    (_, index) => String.fromCodePoint(97 + index),
  );
  const made = Promise.all(changes.map((change) => make(change)));
  await server.lendAll();
  assertEquals(server.sent.map(({ changes }) => changes.length), [MAX_CHANGES_TOGETHER, 1]);
  for (const index of [0, 1]) await server.answer(index);
  assertEquals(await made, changes.map((change) => `made ${change}`));
});

Deno.test("MysqlChangeBatches puts two changes of a row, or of two epochs, into two statements", async () => {
  const { server, make } = open();
  const made = Promise.all([
    make("a1"),
    make("a2"),
    make("b"),
    make("c", { epoch: "y" }),
    make("d", { epoch: "y" }),
  ]);
  await server.lendAll();
  assertEquals(server.statements, ["together a1 b", "alone a2", "together c d"]);
  assertEquals(server.sent.map(({ epoch }) => epoch), [EPOCH, EPOCH, "y"]);
  for (const index of [0, 1, 2]) await server.answer(index);
  assertEquals((await made).length, 5);
});

Deno.test("MysqlChangeBatches makes each change alone if the server cannot join them", async () => {
  const { server, make } = open();
  server.canJoin = false;
  const made = Promise.all(["a", "b"].map((change) => make(change)));
  await server.lendAll();
  assertEquals(server.statements, ["alone a", "alone b"]);
  for (const index of [0, 1]) await server.answer(index);
  assertEquals(await made, ["made a", "made b"]);
});

Deno.test("MysqlChangeBatches makes each change alone after a locked row or a refusal", async () => {
  for (
    const error of [busy(), databaseUnavailable("it refused the request", undefined, { hadNoEffect: true })]
  ) {
    const { server, make } = open();
    const a = make("a");
    const b = assertRejects(() => make("b"), Error, "of b");
    await server.lendAll();
    await server.fail(0, error);
    await server.lendAll();
    assertEquals(server.statements, ["together a b", "alone a", "alone b"]);
    await server.fail(2, new Error("of b"));
    await server.answer(1);
    assertEquals(await a, "made a");
    await b;
  }
});

Deno.test("MysqlChangeBatches repeats nothing of unknown outcome, and gives each caller its settling", async () => {
  const { server, make } = open();
  const settled = Promise.resolve();
  const failed = ["a", "b"].map((change) => assertRejects(() => make(change), ServiceError, "no answer"));
  await server.lendAll();
  await server.fail(0, databaseUnavailable("no answer", undefined, { settled }));
  await server.lendAll();
  assertEquals((await Promise.all(failed)).map((error) => error.settled), [settled, settled]);
  assertEquals(server.statements, ["together a b"]);
});

Deno.test("MysqlChangeBatches rejects the longest waiting change for each connection that it cannot get", async () => {
  const { server, make } = open();
  const a = assertRejects(() => make("a"), Error, "no connection");
  const others = Promise.all(["b", "c"].map((change) => make(change)));
  await server.refuse(new Error("no connection"));
  await a;
  await server.lendAll();
  assertEquals(server.statements, ["together b c"]);
  await server.answer(0);
  assertEquals(await others, ["made b", "made c"]);
});

Deno.test("MysqlChangeBatches makes no change whose caller has left", async () => {
  const { server, make } = open();
  const caller = new AbortController();
  const gone = assertRejects(() => make("a", { signal: caller.signal }), Error, "stopped waiting");
  const stays = make("b");
  caller.abort();
  await server.lendAll();
  await gone;
  assertEquals(server.statements, ["alone b"]);
  await server.answer(0);
  assertEquals(await stays, "made b");
});
