import { assertEquals } from "@std/assert";
import { Readiness } from "../../src/readiness.ts";
import { FakeClock } from "../support/fake_clock.ts";

function serving(readiness: Readiness, tiers: Readonly<Record<string, "up" | "down">>): Readiness {
  for (const [name, state] of Object.entries(tiers)) readiness.setTier(name, state);
  readiness.serve();
  return readiness;
}

const SERVERS = [{ name: "redis" }, { name: "database" }];

Deno.test("Readiness.report() is ready from the start of service to the drain", () => {
  const readiness = new Readiness(SERVERS, new FakeClock());
  readiness.setTier("redis", "up");
  assertEquals(readiness.report(), { status: "starting", tiers: { redis: "up" } });
  readiness.serve();
  assertEquals(readiness.report().status, "ready");
  readiness.drain();
  assertEquals(readiness.report(), { status: "draining", tiers: { redis: "up" } });
});

Deno.test("Readiness.report() is ready while any tier that holds a truth answers", () => {
  const cases = [
    [{ local: "up", redis: "up", database: "up" }, "ready"],
    [{ local: "up", redis: "down", database: "up" }, "ready"],
    [{ local: "up", redis: "up", database: "down" }, "ready"],
    [{ local: "up", redis: "down", database: "down" }, "unavailable"],
  ] as const;
  for (const [tiers, status] of cases) {
    const readiness = serving(new Readiness(SERVERS, new FakeClock()), tiers);
    assertEquals(readiness.report(), { status, tiers });
  }
});

Deno.test("Readiness.report() is unavailable while the embedded store cannot be written, or does not answer", () => {
  const clock = new FakeClock();
  let error: Error | undefined = new Error("disk full");
  const checkWritable = () => {
    if (error !== undefined) throw error;
  };
  const readiness = serving(new Readiness([{ name: "database", checkWritable }], clock), {
    local: "up",
    database: "up",
  });
  assertEquals(readiness.report(), { status: "unavailable", tiers: { local: "up", database: "read_only" } });
  error = undefined;
  clock.advance(1000);
  assertEquals(readiness.report(), { status: "ready", tiers: { local: "up", database: "up" } });
  readiness.setTier("database", "down");
  assertEquals(readiness.report(), { status: "unavailable", tiers: { local: "up", database: "down" } });
});

Deno.test("Readiness.report() writes to the embedded store at most once a second", () => {
  const clock = new FakeClock();
  let checks = 0;
  const holders = [{ name: "database", checkWritable: () => void checks++ }];
  const readiness = serving(new Readiness(holders, clock), { database: "up" });
  for (let asked = 0; asked < 5; asked++) readiness.report();
  clock.advance(999);
  readiness.report();
  assertEquals(checks, 1);
  clock.advance(1);
  readiness.report();
  assertEquals(checks, 2);
});
