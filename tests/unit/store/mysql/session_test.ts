import { assertEquals, assertRejects } from "@std/assert";
import { DeadlineQueue } from "../../../../src/core/deadline_queue.ts";
import { ServiceError } from "../../../../src/core/errors.ts";
import { type MysqlConnection, MysqlSession, transaction } from "../../../../src/store/mysql/session.ts";
import { FakeClock } from "../../../support/fake_clock.ts";

/** A connection that records its statements and answers with `answer`. */
class ScriptedConnection implements MysqlConnection {
  readonly asked: string[] = [];
  readonly #answer: (sql: string) => Promise<unknown>;

  constructor(answer: (sql: string) => Promise<unknown> = () => Promise.resolve([])) {
    this.#answer = answer;
  }

  execute(sql: string): Promise<unknown> {
    this.asked.push(sql);
    return this.#answer(sql);
  }

  query(sql: string): Promise<unknown> {
    return this.execute(sql);
  }
}

function sessionOver(
  connection: MysqlConnection,
  { clock = new FakeClock(), signal = new AbortController().signal },
) {
  return new MysqlSession(connection, {
    timeouts: new DeadlineQueue(clock, 1_000),
    signal,
    knowsReturning: true,
  });
}

function serverError(errno: number): Error {
  return Object.assign(new Error("from the server"), { errno });
}

Deno.test("MysqlSession rejects an unanswered statement at the time-out, not before", async () => {
  const clock = new FakeClock();
  const never = Promise.withResolvers<unknown>();
  const session = sessionOver(new ScriptedConnection(() => never.promise), { clock });
  const rejected = assertRejects(() => session.rows("SELECT 1"), DOMException, "No answer within 1000 ms");
  clock.advance(999);
  assertEquals(clock.pendingTimers, 1);
  clock.advance(1);
  await rejected;
});

Deno.test("MysqlSession begins no statement for a caller that has left", async () => {
  const connection = new ScriptedConnection();
  const caller = new AbortController();
  const session = sessionOver(connection, { signal: caller.signal });
  await session.run("first");
  caller.abort();
  await assertRejects(() => session.run("second"), ServiceError);
  assertEquals(connection.asked, ["first"]);
});

Deno.test("transaction() repeats its work after a deadlock", async () => {
  let deadlocks = 2;
  const connection = new ScriptedConnection((sql) => {
    return sql === "work" && deadlocks-- > 0 ? Promise.reject(serverError(1213)) : Promise.resolve([]);
  });
  const session = sessionOver(connection, {});
  await transaction(session, () => session.run("work"));
  const attempt = ["START TRANSACTION", "work"];
  assertEquals(connection.asked, [...attempt, ...attempt, ...attempt, "COMMIT"]);
});

Deno.test("transaction() gives up after ten deadlocks", async () => {
  const connection = new ScriptedConnection((sql) => {
    return sql === "work" ? Promise.reject(serverError(1213)) : Promise.resolve([]);
  });
  const session = sessionOver(connection, {});
  await assertRejects(() => transaction(session, () => session.run("work")), Error, "from the server");
  assertEquals(connection.asked.filter((sql) => sql === "work").length, 10);
});

Deno.test("transaction() repeats nothing after any other error, whose outcome may be unknown", async () => {
  const connection = new ScriptedConnection((sql) => {
    return sql === "COMMIT" ? Promise.reject(new Error("connection lost")) : Promise.resolve([]);
  });
  const session = sessionOver(connection, {});
  await assertRejects(() => transaction(session, () => session.run("work")), Error, "connection lost");
  assertEquals(connection.asked, ["START TRANSACTION", "work", "COMMIT"]);
});
