import { assertEquals } from "@std/assert";
import { Readiness, type TierReadiness } from "../../../src/observe/readiness.ts";

function serving(readiness: Readiness, tiers: Readonly<Record<string, TierReadiness>>): Readiness {
  for (const [name, state] of Object.entries(tiers)) readiness.setTier(name, state);
  readiness.serve();
  return readiness;
}

const SERVERS = ["redis", "database"];

Deno.test("Readiness.report() is ready from the start of service to the drain", () => {
  const readiness = new Readiness(SERVERS);
  readiness.setTier("redis", "up");
  assertEquals(readiness.report(), { status: "starting", tiers: { redis: "up" } });
  readiness.serve();
  assertEquals(readiness.report().status, "ready");
  readiness.drain();
  assertEquals(readiness.report(), { status: "draining", tiers: { redis: "up" } });
});

Deno.test("Readiness.report() is ready while any authority is up", () => {
  const cases = [
    [{ local: "up", redis: "up", database: "up" }, "ready"],
    [{ local: "up", redis: "down", database: "up" }, "ready"],
    [{ local: "up", redis: "up", database: "down" }, "ready"],
    [{ local: "up", redis: "up", database: "read_only" }, "ready"],
    [{ local: "up", redis: "down", database: "down" }, "unavailable"],
  ] as const;
  for (const [tiers, status] of cases) {
    assertEquals(serving(new Readiness(SERVERS), tiers).report(), { status, tiers });
  }
});

Deno.test("Readiness.report() is unavailable while the embedded store refuses changes or does not answer", () => {
  const readiness = serving(new Readiness(["database", "database"]), { local: "up", database: "read_only" });
  assertEquals(readiness.report(), { status: "unavailable", tiers: { local: "up", database: "read_only" } });
  readiness.setTier("database", "up");
  assertEquals(readiness.report(), { status: "ready", tiers: { local: "up", database: "up" } });
  readiness.setTier("database", "down");
  assertEquals(readiness.report(), { status: "unavailable", tiers: { local: "up", database: "down" } });
});
