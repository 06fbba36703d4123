import { assertEquals, assertRejects } from "@std/assert";
import { RedisSuccession } from "../../../src/store/redis_succession.ts";
import { turn } from "../../support/turn.ts";

Deno.test("RedisSuccession.begin() rejects once, with nothing left unhandled, when the connection is lost", async () => {
  const succession = new RedisSuccession();
  await succession.begin(() => Promise.resolve("id=7 addr=127.0.0.1:5000 laddr=…"), () => {});
  const sent: string[] = [];
  const lost = (...args: readonly string[]) => {
    sent.push(args.join(" "));
    return Promise.reject(new Error("Connection is closed."));
  };
  await assertRejects(() => succession.begin(lost, () => {}), Error, "Connection is closed.");
  assertEquals(sent, ["KILL ID 7 ADDR 127.0.0.1:5000", "INFO"]);
  // What is rejected without anybody to handle it fails the test by now.
  await turn();
});
