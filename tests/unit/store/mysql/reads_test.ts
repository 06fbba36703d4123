import { assertEquals, assertRejects } from "@std/assert";
import type { MysqlPool } from "../../../../src/store/mysql/pool.ts";
import {
  MAX_KEYS_READ,
  MAX_STATEMENTS_UNDER_WAY,
  MysqlReads,
  type SecretRow,
} from "../../../../src/store/mysql/reads.ts";
import type { MysqlSession, MysqlValue } from "../../../../src/store/mysql/session.ts";
import { turn } from "../../../support/turn.ts";

const SIGNAL = new AbortController().signal;

/** A statement that was sent; the test answers it. */
interface Sent {
  readonly sql: string;
  readonly keys: readonly MysqlValue[];
  readonly reply: PromiseWithResolvers<readonly Partial<SecretRow>[]>;
}

/** A pool whose connections the test lends, and which records the statements. */
class FakePool implements Pick<MysqlPool, "use"> {
  readonly sent: Sent[] = [];
  readonly asking: PromiseWithResolvers<void>[] = [];
  #isFree = true;

  /** From now on only {@link lend} lends connections. */
  hold(): void {
    this.#isFree = false;
  }

  async lend(index: number): Promise<void> {
    this.asking[index]!.resolve();
    await turn();
  }

  async use<T>(work: (session: MysqlSession) => Promise<T>): Promise<T> {
    const place = Promise.withResolvers<void>();
    this.asking.push(place);
    if (this.#isFree) place.resolve();
    await place.promise;
    const session: Pick<MysqlSession, "rows"> = {
      rows: <Row>(sql: string, keys: MysqlValue[] = []) => {
        const reply = Promise.withResolvers<readonly Partial<SecretRow>[]>();
        this.sent.push({ sql, keys, reply });
        return reply.promise as Promise<unknown> as Promise<Row[]>;
      },
    };
    return await work(session as MysqlSession);
  }

  /** Answers the nth statement with a row for each of these keys. */
  async answer(index: number, found = this.sent[index]!.keys): Promise<void> {
    this.sent[index]!.reply.resolve(found.map((key) => ({ secretID: String(key), name: `row of ${key}` })));
    await turn();
  }

  get keys(): readonly (readonly MysqlValue[])[] {
    return this.sent.map(({ keys }) => keys);
  }
}

function open() {
  const pool = new FakePool();
  const reads = new MysqlReads(pool, "`secret`");
  const read = async (key: string, signal = SIGNAL) => (await reads.read(key, signal))?.name;
  return { pool, read };
}

Deno.test("MysqlReads.read() reads the rows of one turn in one statement", async () => {
  const { pool, read } = open();
  const found = Promise.all(["a", "b"].map((key) => read(key)));
  await turn();
  assertEquals(pool.keys, [["a", "b"]]);
  await pool.answer(0);
  assertEquals(await found, ["row of a", "row of b"]);
});

Deno.test("MysqlReads has statements of 1, 2, 4 … keys, and fills up with the last key", async () => {
  for (const [count, asked] of [[1, 1], [2, 2], [3, 4], [5, 8], [17, MAX_KEYS_READ]] as const) {
    const { pool, read } = open();
    const keys = Array.from({ length: count }, (_, index) => `${index}`);
    const found = Promise.all(keys.map((key) => read(key)));
    await turn();
    assertEquals(pool.keys, [[...keys, ...Array(asked - count).fill(keys.at(-1))]]);
    assertEquals(pool.sent[0]!.sql.match(/\?/g)?.length, asked);
    await pool.answer(0, keys);
    assertEquals(await found, keys.map((key) => `row of ${key}`));
  }
});

Deno.test("MysqlReads includes the reads that come while it waits for a connection", async () => {
  const { pool, read } = open();
  pool.hold();
  const found = ["a", "b", "c"].map(async (key, index) => {
    for (let turns = 0; turns < index; turns++) await turn();
    return await read(key);
  });
  for (let turns = 0; turns < 5; turns++) await turn();
  assertEquals(pool.keys, []);
  await pool.lend(0);
  assertEquals(pool.keys, [["a", "b", "c", "c"]]);
  // Further connections find nothing left to read.
  for (let index = 1; index < pool.asking.length; index++) await pool.lend(index);
  assertEquals(pool.sent.length, 1);
  await pool.answer(0);
  assertEquals(await Promise.all(found), ["row of a", "row of b", "row of c"]);
});

Deno.test("MysqlReads has at most MAX_STATEMENTS_UNDER_WAY, and then reads all that waits", async () => {
  const { pool, read } = open();
  const all: Promise<unknown>[] = [];
  const first = Array.from({ length: MAX_STATEMENTS_UNDER_WAY }, (_, index) => `first ${index}`);
  for (const key of [...first, "b", "c"]) {
    all.push(read(key));
    await turn();
  }
  assertEquals(pool.keys, first.map((key) => [key]));
  await pool.answer(1);
  assertEquals(pool.keys.slice(first.length), [["b", "c"]]);
  for (const index of [0, 2, 3, first.length]) await pool.answer(index);
  assertEquals(await Promise.all(all), [...first, "b", "c"].map((key) => `row of ${key}`));
});

Deno.test("MysqlReads reads at most MAX_KEYS_READ, and the other keys in further statements", async () => {
  const { pool, read } = open();
  const count = MAX_KEYS_READ * (MAX_STATEMENTS_UNDER_WAY + 1);
  const found = Promise.all(Array.from({ length: count }, (_, index) => read(`${index}`)));
  await turn();
  assertEquals(pool.keys.map((keys) => keys.length), Array(MAX_STATEMENTS_UNDER_WAY).fill(MAX_KEYS_READ));
  for (let index = 0; index <= MAX_STATEMENTS_UNDER_WAY; index++) await pool.answer(index);
  assertEquals((await found).at(-1), `row of ${count - 1}`);
});

Deno.test("MysqlReads returns the row whose key is equal byte by byte, or undefined", async () => {
  const { pool, read } = open();
  const found = Promise.all(["a", "A", "a ", "b"].map((key) => read(key)));
  await turn();
  await pool.answer(0, ["a ", "a", "B"]);
  assertEquals(await found, ["row of a", undefined, "row of a ", undefined]);
});

Deno.test("MysqlReads reads nothing for a caller that has left", async () => {
  const { pool, read } = open();
  pool.hold();
  const caller = new AbortController();
  const gone = ["a", "c"].map((key) =>
    assertRejects(() => read(key, caller.signal), Error, "stopped waiting")
  );
  const stays = read("b");
  await turn();
  caller.abort();
  await pool.lend(0);
  await Promise.all(gone);
  assertEquals(pool.keys, [["b"]]);
  await pool.answer(0);
  assertEquals(await stays, "row of b");
});

Deno.test("MysqlReads rejects the reads of a failed statement, and no others", async () => {
  const { pool, read } = open();
  const failed = ["a", "b"].map((key) => assertRejects(() => read(key), Error, "lost"));
  await turn();
  const other = read("c");
  await turn();
  pool.sent[0]!.reply.reject(new Error("lost"));
  await Promise.all(failed);
  await pool.answer(1);
  assertEquals(await other, "row of c");
  const next = read("d");
  await turn();
  await pool.answer(2);
  assertEquals(await next, "row of d");
});

Deno.test("MysqlReads rejects nothing for lack of a connection while it waits for another one", async () => {
  const { pool, read } = open();
  pool.hold();
  const first = read("a");
  await turn();
  const later = Array.from({ length: 3 }, (_, index) => read(`${index}`));
  pool.asking[0]!.reject(new Error("Too many connections"));
  await turn();
  await pool.lend(1);
  assertEquals(pool.keys, [["a", "0", "1", "2"]]);
  await pool.answer(0);
  assertEquals(await first, "row of a");
  assertEquals(await Promise.all(later), ["row of 0", "row of 1", "row of 2"]);
});

Deno.test("MysqlReads rejects all waiting reads when no connection can be had, and tries again for the next", async () => {
  const { pool, read } = open();
  pool.hold();
  const failed = ["a", "b"].map((key) => assertRejects(() => read(key), Error, "no connection"));
  await turn();
  pool.asking[0]!.reject(new Error("no connection"));
  await Promise.all(failed);
  const next = read("c");
  await turn();
  await pool.lend(1);
  await pool.answer(0);
  assertEquals(await next, "row of c");
});
