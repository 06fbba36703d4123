import { assertEquals } from "@std/assert";
import { Logger, type LogLevel } from "../../../src/observe/logger.ts";
import { FakeClock } from "../../support/fake_clock.ts";

const TIME = "2025-01-01T00:00:00.000Z";

/** A logger at `level`, and what it wrote, parsed. */
function logger(level: LogLevel = "debug") {
  const lines: string[] = [];
  const log = new Logger(new FakeClock(), level, (line) => lines.push(line));
  return { log, lines, parsed: () => lines.map((line) => JSON.parse(line)) };
}

Deno.test("Logger writes one JSON object a line, time first, whatever the fields hold", () => {
  const { log, lines } = logger();
  log.info("serving", { address: "127.0.0.1:9000", port: 9000, ok: true, none: undefined });
  log.warn("odd", { text: 'a\n"b"\u2028' });
  assertEquals(lines, [
    `{"time":"${TIME}","level":"info","event":"serving","address":"127.0.0.1:9000","port":9000,"ok":true}`,
    `{"time":"${TIME}","level":"warn","event":"odd","text":"a\\n\\"b\\"\u2028"}`,
  ]);
});

Deno.test("Logger writes its level and those above it", () => {
  const levels = ["debug", "info", "warn", "error"] as const;
  for (const [index, level] of levels.entries()) {
    const { log, parsed } = logger(level);
    for (const each of levels) log[each]("event");
    assertEquals(parsed().map((line) => line.level), levels.slice(index));
  }
});

Deno.test("Logger writes an error as its text and the texts of its causes", () => {
  const { log, parsed } = logger();
  const root = Object.assign(new Error(""), { name: "AbortError" });
  const cause = new Error("no route", { cause: root });
  log.error("failed", {
    error: new Error("Cannot connect", { cause }),
    other: new Error("x", { cause: "y" }),
  });
  assertEquals(parsed()[0].error, "Cannot connect: no route: AbortError");
  assertEquals(parsed()[0].other, "x: y");
});

Deno.test("Logger writes an error that is its own cause", () => {
  const { log, parsed } = logger();
  const error = new Error("round");
  error.cause = error;
  log.error("failed", { error });
  assertEquals(parsed()[0].error.startsWith("round"), true);
});
