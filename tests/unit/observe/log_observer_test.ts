import { assertEquals } from "@std/assert";
import { Logger, type LogLevel } from "../../../src/observe/logger.ts";
import { LogObserver, type TierDescription } from "../../../src/observe/log_observer.ts";
import { FakeClock } from "../../support/fake_clock.ts";

const QUIET_MS = 10_000;

function observing(tiers: ReadonlyMap<string, TierDescription> = new Map(), level: LogLevel = "info") {
  const clock = new FakeClock();
  const lines: string[] = [];
  const observer = new LogObserver(new Logger(clock, level, (line) => lines.push(line)), {
    clock,
    tiers,
  });
  /** The lines since the last look, without their times. */
  const look = () => lines.splice(0).map((line) => ({ ...JSON.parse(line), time: undefined }));
  return { clock, observer, look };
}

function line(fields: Readonly<Record<string, string | number>>) {
  return { time: undefined, level: "warn", ...fields };
}

const FAILED = line({ event: "tier_failed", tier: "redis", operation: "read", error: "away" });

Deno.test("LogObserver writes a line a tier in ten seconds, and how many it suppressed", () => {
  const { clock, observer, look } = observing();
  const fail = (error: string) => observer.tierFailed("redis", "read", new Error(error));
  for (const error of ["away", "b", "c", "d"]) fail(error);
  assertEquals(look(), [FAILED]);
  clock.advance(QUIET_MS - 1);
  fail("the latest");
  assertEquals(look(), []);
  // Without a further failure.
  clock.advance(1);
  assertEquals(look(), [{ ...FAILED, error: "the latest", suppressed: 4 }]);
  fail("again");
  assertEquals(look(), []);
  clock.advance(QUIET_MS);
  assertEquals(look(), [{ ...FAILED, error: "again", suppressed: 1 }]);
  clock.advance(QUIET_MS);
  assertEquals([look(), clock.pendingTimers], [[], 0]);
  fail("away");
  assertEquals(look(), [FAILED]);
});

Deno.test("LogObserver writes the suppressed warnings when it is disposed of", () => {
  const { clock, observer, look } = observing();
  for (let call = 0; call < 3; call++) observer.tierFailed("redis", "read", new Error("away"));
  observer.fillDropped("redis");
  look();
  observer[Symbol.dispose]();
  assertEquals(look(), [{ ...FAILED, suppressed: 2 }]);
  assertEquals(clock.pendingTimers, 0);
});

Deno.test("LogObserver names the address of a tier and the keys of the configuration to check", () => {
  const keysOf = (error: unknown) => String(error).includes("WRONGPASS") ? "data.redis.password" : undefined;
  const { observer, look } = observing(new Map([["redis", { address: "db:6379", keysOf }]]));
  observer.tierFailed("redis", "read", "no connection");
  // The failures that follow from a cause do not suppress it.
  observer.connectionFailed("redis", undefined, new Error("WRONGPASS"));
  observer.connectionFailed("redis", "db-2:6379", new Error("WRONGPASS"));
  observer.tierChanged("redis", "down");
  observer.tierChanged("redis", "up");
  observer.tierChanged("local", "up");
  const failed = { time: undefined, level: "warn", event: "tier_failed", tier: "redis" };
  const refused = { ...failed, operation: "connect", check: "data.redis.password", error: "WRONGPASS" };
  assertEquals(look(), [
    { ...failed, address: "db:6379", operation: "read", error: "no connection" },
    { ...refused, address: "db:6379" },
    { ...refused, address: "db-2:6379" },
    { time: undefined, level: "warn", event: "tier_down", tier: "redis", address: "db:6379" },
    { time: undefined, level: "info", event: "tier_up", tier: "redis", address: "db:6379" },
    { time: undefined, level: "info", event: "tier_up", tier: "local" },
  ]);
});

Deno.test("LogObserver watches calls at level debug, and at no other", () => {
  assertEquals(observing(new Map(), "debug").observer.calls !== undefined, true);
  for (const level of ["info", "warn", "error"] as const) {
    assertEquals(observing(new Map(), level).observer.calls, undefined);
  }
});

Deno.test("LogObserver suppresses each tier and each event on its own", () => {
  const { observer, look } = observing();
  observer.tierFailed("redis", "read", "away");
  observer.tierFailed("database", "write", "away");
  observer.fillDropped("redis");
  observer.fillDropped("redis");
  assertEquals(look(), [
    FAILED,
    line({ event: "tier_failed", tier: "database", operation: "write", error: "away" }),
    line({ event: "fill_dropped", tier: "redis" }),
  ]);
});

Deno.test("LogObserver suppresses each forbidden command on its own, and apart from failures of the tier", () => {
  const { observer, look } = observing();
  observer.tierFailed("redis", "connect", "away");
  for (const command of ["info", "time", "info"]) {
    observer.commandForbidden("redis", new Error(`NOPERM ${command}`));
  }
  assertEquals(look().slice(1).map(({ level, event, tier, error }) => [level, event, tier, error]), [
    ["warn", "command_forbidden", "redis", "NOPERM info"],
    ["warn", "command_forbidden", "redis", "NOPERM time"],
  ]);
});

Deno.test("LogObserver writes a line for each change of a breaker", () => {
  const { observer, look } = observing();
  for (const state of ["open", "half_open", "open", "closed"] as const) {
    observer.breakerChanged("redis", state);
  }
  assertEquals(look().map(({ level, event, tier }) => [level, event, tier]), [
    ["warn", "breaker_open", "redis"],
    ["info", "breaker_half_open", "redis"],
    ["warn", "breaker_open", "redis"],
    ["info", "breaker_closed", "redis"],
  ]);
});

Deno.test("LogObserver writes every mistake of this program", () => {
  const { observer, look } = observing();
  for (const error of [new TypeError("x"), "y"]) observer.callFailed("/s/M", error);
  assertEquals(look().map(({ level, event, path, error }) => [level, event, path, error]), [
    ["error", "call_failed", "/s/M", "x"],
    ["error", "call_failed", "/s/M", "y"],
  ]);
});

Deno.test("LogObserver.invalidationsChanged() warns of every state but tracking", () => {
  const { observer, look } = observing();
  for (const state of ["tracking", "publishing", "refused", "lost"] as const) {
    observer.invalidationsChanged(state);
  }
  const lines = look();
  assertEquals(lines.map(({ level, state }) => `${level} ${state}`), [
    "info tracking",
    "warn publishing",
    "warn refused",
    "warn lost",
  ]);
  assertEquals(new Set(lines.map(({ note }) => note)).size, 4, "each note is different");
});

Deno.test("LogObserver writes a line in ten seconds for each failing part of the transport", () => {
  const { observer, look } = observing();
  for (const where of ["accept", "accept", "/s/M"]) {
    observer.transportFailed(where, new Error("no more files"));
  }
  assertEquals(look(), [
    line({ event: "transport_failed", where: "accept", error: "no more files" }),
    line({ event: "transport_failed", where: "/s/M", error: "no more files" }),
  ]);
});

Deno.test("LogObserver.clientEnded() writes one line in ten seconds, whatever the reasons", () => {
  const { clock, observer, look } = observing();
  for (const reason of ["too_many_pings", "setting 5 is 1"]) observer.clientEnded("192.0.2.1:1", reason);
  assertEquals(look(), [line({ event: "client_ended", peer: "192.0.2.1:1", reason: "too_many_pings" })]);
  observer.clientEnded("[2001:db8::1]:2", "too_many_pings");
  clock.advance(QUIET_MS);
  assertEquals(look().map(({ peer, suppressed }) => [peer, suppressed]), [["[2001:db8::1]:2", 2]]);
});

Deno.test("LogObserver.rejectionUnhandled() writes an error each time", () => {
  const { observer, look } = observing();
  observer.rejectionUnhandled(new Error("x"));
  observer.rejectionUnhandled("y");
  assertEquals(look().map(({ level, event, error }) => [level, event, error]), [
    ["error", "rejection_unhandled", "x"],
    ["error", "rejection_unhandled", "y"],
  ]);
});
