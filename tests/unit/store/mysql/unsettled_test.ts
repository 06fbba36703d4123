import { assertEquals, assertThrows } from "@std/assert";
import { ServiceError } from "../../../../src/core/errors.ts";
import { MysqlUnsettled, TooManyUnsettled } from "../../../../src/store/mysql/unsettled.ts";
import { FakeClock } from "../../../support/fake_clock.ts";
import { turn } from "../../../support/turn.ts";

/** Unsettled changes of a server whose locks the test chooses, or which does not answer. */
class Server {
  readonly clock = new FakeClock();
  readonly asked: string[] = [];
  readonly held = new Set<string>();
  answers = true;
  readonly unsettled = new MysqlUnsettled({
    clock: this.clock,
    limit: 2,
    ask: (sql) => {
      this.asked.push(sql);
      if (!this.answers) return Promise.reject(new Error("away"));
      const locks = [...sql.matchAll(/IS_USED_LOCK\('(\w+)'\) AS (\w+)/g)];
      const row = locks.map(([, lock, column]) => [column!, this.held.has(lock!) ? "7" : null] as const);
      return Promise.resolve(Object.fromEntries(row));
    },
  });

  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await turn();
  }
}

Deno.test("MysqlUnsettled asks for all sessions at once, twice a second, until each has ended", async () => {
  const server = new Server();
  server.held.add("a").add("b");
  const settled: string[] = [];
  for (const lock of ["a", "b"]) server.unsettled.add(lock).then(() => settled.push(lock));
  for (let round = 0; round < 4; round++) await server.pass(500);
  const both = "SELECT IS_USED_LOCK('a') AS s0, IS_USED_LOCK('b') AS s1";
  assertEquals([server.asked, settled], [[both, both, both, both], []]);
  server.held.delete("a");
  await server.pass(500);
  assertEquals(settled, ["a"]);
  server.held.delete("b");
  await server.pass(500);
  assertEquals([settled, server.asked.at(-1)], [["a", "b"], "SELECT IS_USED_LOCK('b') AS s0"]);
  assertEquals(server.clock.pendingTimers, 0);
});

Deno.test("MysqlUnsettled treats a server that does not answer as one that may still commit", async () => {
  const server = new Server();
  server.answers = false;
  let isSettled = false;
  server.unsettled.add("a").then(() => isSettled = true);
  for (let round = 0; round < 5; round++) await server.pass(500);
  assertEquals([isSettled, server.asked.length], [false, 5]);
  server.answers = true;
  await server.pass(500);
  assertEquals(isSettled, true);
});

Deno.test("MysqlUnsettled refuses further changes at its limit, and accepts them again once one has settled", async () => {
  const server = new Server();
  server.held.add("a").add("b");
  server.unsettled.add("a");
  server.unsettled.refuseTooMany();
  server.unsettled.add("b");
  const error = assertThrows(() => server.unsettled.refuseTooMany(), ServiceError);
  assertEquals(error.cause instanceof TooManyUnsettled, true);
  server.held.delete("a");
  await server.pass(500);
  server.unsettled.refuseTooMany();
});

Deno.test("MysqlUnsettled asks nothing after its disposal", async () => {
  const server = new Server();
  server.held.add("a");
  server.unsettled.add("a");
  server.unsettled[Symbol.dispose]();
  server.unsettled.add("b");
  await server.pass(5_000);
  assertEquals([server.asked, server.clock.pendingTimers], [[], 0]);
});
